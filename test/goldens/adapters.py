"""Writes PEFT adapters of many kinds for the checkpoints of decoder.py, and the log-probabilities that peft computes.
usage: python test/goldens/adapters.py   (after decoder.py; torch, transformers, peft; writes test/goldens/adapters/)"""
import json, os, shutil, warnings, torch
import transformers as tf
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

warnings.filterwarnings("ignore")
here = os.path.dirname(os.path.abspath(__file__))
out = f"{here}/adapters"
Q3 = dict(r=2, target_modules=["q_proj"], layers_to_transform=[3])
CASES = {
    "rank-patterns": ("llama", dict(r=2, lora_alpha=6, use_rslora=True, target_modules=["q_proj", "v_proj", "up_proj"], layers_to_transform=[1, 3], rank_pattern={"v_proj": 3, r"layers\.3\.mlp\.up_proj": 1}, alpha_pattern={"q_proj": 2, r"layers\.1\..*": 9})),
    "regex-exclude": ("mistral", dict(r=2, target_modules=r".*layers\.[13]\.(self_attn|mlp)\.(k|o|down)_proj", exclude_modules=r".*layers\.1\.mlp.*")),
    "all-linear": ("olmo2", dict(r=1, target_modules="all-linear")),
    "dora": ("qwen3", dict(r=2, use_dora=True, target_modules=["q_proj", "o_proj", "down_proj"], layers_to_transform=[2, 3])),
    "dora-rslora-fused": ("phi3", dict(r=2, lora_alpha=4, use_dora=True, use_rslora=True, target_modules=["qkv_proj", "gate_up_proj"], layers_to_transform=[1, 3])),
    "fused-all-linear": ("phi3", dict(r=1, target_modules="all-linear")),
    "gemma3-query": ("gemma3_text", dict(r=2, target_modules=["q_proj", "k_proj"])),
    "gemma3-text-part": ("gemma3", dict(r=2, alpha_pattern={r"model\.language_model\.layers\.2\.self_attn\.q_proj": 5}, target_modules=r".*language_model.*q_proj")),
    "trained-biases": ("qwen2", dict(bias="all", **Q3)),
    "lora-only-biases": ("qwen2", dict(bias="lora_only", **Q3)),
    "lora-bias": ("smollm3", dict(lora_bias=True, **Q3)),
    "save-embedding-tied": ("gemma3_text", dict(modules_to_save=["embed_tokens"], **Q3)),
    "save-head-tied": ("qwen3", dict(modules_to_save=["lm_head"], **Q3)),
    "save-both-tied": ("smollm3", dict(modules_to_save=["embed_tokens"], ensure_weight_tying=True, **Q3)),
    "save-head-and-norm": ("mistral", dict(modules_to_save=["lm_head", "input_layernorm"], **Q3)),
    "embedding-tied": ("gemma3_text", dict(r=2, target_modules=["embed_tokens", "q_proj"])),
    "embedding-and-head": ("mistral", dict(r=2, use_rslora=True, target_modules=["embed_tokens", "lm_head"])),
    "dora-head-tied": ("smollm3", dict(r=2, use_dora=True, target_modules=["lm_head"])),
}
SEQUENCES = [([3, 17, 42, 8, 91, 5], [7, 30, 2]), ([3, 60, 61, 62, 63, 64, 65, 66, 5], [11]), ([9, 1], [4, 4, 4, 80])]


def logprobs(model, prompt, action):
    lp = model(torch.tensor([prompt + action]), use_cache=False).logits[0].log_softmax(-1)[len(prompt) - 1 : -1]
    return lp[range(len(action)), torch.tensor(action)].tolist()


def base(family):
    return tf.AutoModelForCausalLM.from_pretrained(f"{here}/decoder/{family}", dtype=torch.float32, attn_implementation="eager").eval()


shutil.rmtree(out, ignore_errors=True)
expected = {}
for i, (name, (family, settings)) in enumerate(CASES.items()):
    torch.manual_seed(i)
    adapted = get_peft_model(base(family), LoraConfig(task_type="CAUSAL_LM", **settings))
    with torch.no_grad():
        for key, weight in adapted.named_parameters():
            if not weight.requires_grad: continue
            noise = torch.randn_like(weight)
            # Magnitudes and whole tensors stay near what they were; everything is stored in bf16, to be small.
            weight.copy_((weight * (1 + noise * 0.2) if "lora_" not in key or "magnitude" in key else noise * 0.4).bfloat16())
    adapted.save_pretrained(f"{out}/{name}")
    path = f"{out}/{name}/adapter_model.safetensors"
    save_file({k: v.bfloat16() for k, v in load_file(path).items()}, path, {"format": "pt"})
    config = json.load(open(f"{out}/{name}/adapter_config.json")) | {"base_model_name_or_path": family}
    json.dump(config, open(f"{out}/{name}/adapter_config.json", "w"), indent=1)
    os.remove(f"{out}/{name}/README.md")
    model = PeftModel.from_pretrained(base(family), f"{out}/{name}").eval()
    with torch.no_grad():
        plain = [logprobs(base(family), *s) for s in SEQUENCES]
        said = [logprobs(model, *s) for s in SEQUENCES]
    expected[name] = {"base": family, "logprobs": [[float(f"{x:.7g}") for x in row] for row in said]}
    print(name, os.path.getsize(path), max(abs(a - b) for p, q in zip(plain, said) for a, b in zip(p, q)))
json.dump({"sequences": SEQUENCES, "adapters": expected}, open(f"{out}/expected.json", "w"))
