"""Writes tiny checkpoints and what PyTorch computes on them: log-probabilities, a steered pass, the gradient of the
steering objective, residuals, a greedy reply, an adapter's scores, gradients of all weights.
usage: python test/goldens/decoder.py [family ...]   (torch, transformers, peft; writes test/goldens/decoder/)"""
import json, os, sys, torch
import transformers as tf
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "decoder")
base = dict(vocab_size=96, hidden_size=32, intermediate_size=56, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=128)
FAMILIES = {
    "llama": tf.LlamaConfig(**base, tie_word_embeddings=True, rope_parameters={"rope_type": "default", "rope_theta": 1e4}),
    "llama3": tf.LlamaConfig(**base, head_dim=16, rope_parameters={"rope_type": "llama3", "rope_theta": 5e5, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16}),
    "qwen2": tf.Qwen2Config(**base),
    "gemma2": tf.Gemma2Config(**base, head_dim=8, query_pre_attn_scalar=8, sliding_window=4),
}
# Smaller, and stored in bf16. Each has what its family is known for, and windows shorter than the prompts.
small = base | dict(hidden_size=16, intermediate_size=24)
gemma3 = dict(small, num_hidden_layers=5, head_dim=8, query_pre_attn_scalar=12, sliding_window=4, layer_types=["sliding_attention", "full_attention", "sliding_attention", "sliding_attention", "full_attention"], final_logit_softcapping=20.0, rope_parameters={"full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6}, "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}})
FAMILIES |= {
    "mistral": tf.MistralConfig(**small, head_dim=8, sliding_window=4, rope_parameters={"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0, "original_max_position_embeddings": 32}),
    "qwen3": tf.Qwen3Config(**small, head_dim=8, tie_word_embeddings=True, attention_bias=True, use_sliding_window=True, sliding_window=3, max_window_layers=2, rope_parameters={"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0}),
    "phi3": tf.Phi3Config(**(small | dict(hidden_size=32)), sliding_window=5, original_max_position_embeddings=64, pad_token_id=0, eos_token_id=1, rope_parameters={"rope_type": "longrope", "rope_theta": 1e4, "partial_rotary_factor": 0.75, "short_factor": [1.0, 1.5, 3.0], "long_factor": [2.0, 4.0, 8.0]}),
    "olmo2": tf.Olmo2Config(**small, pad_token_id=0, attention_bias=True, rope_parameters={"rope_type": "linear", "rope_theta": 5e3, "factor": 2.0}),
    "smollm3": tf.SmolLM3Config(**small, no_rope_layer_interval=2, use_sliding_window=True, sliding_window=4, pad_token_id=0),
    "gemma3_text": tf.Gemma3TextConfig(**gemma3),
    "gemma3": tf.Gemma3Config(text_config=gemma3, vision_config=dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, image_size=8, patch_size=4), mm_tokens_per_image=4, image_token_index=95, boi_token_index=94, eoi_token_index=93),
}
SEQUENCES = [([3, 17, 42, 8, 91, 5], [0, 0, 1, 1, 0, 0], [7, 30, 2]), ([3, 60, 61, 62, 63, 64, 65, 66, 5], [0, 1, 1, 1, 0, 1, 1, 0, 0], [11]), ([9, 1], [1, 0], [4, 4, 4, 80])]

def layers(model):
    return getattr(model.model, "language_model", model.model).layers

def steered(model, layer, theta, ids, mask):
    full = torch.zeros(1, len(ids), 1); full[0, : len(mask), 0] = torch.tensor(mask).float()
    def hook(_m, _i, out):
        return (out[0] + full * theta,) + out[1:] if isinstance(out, tuple) else out + full * theta
    return layers(model)[layer].register_forward_hook(hook)

def logprobs(model, prompt, action):
    ids = torch.tensor([prompt + action])
    lp = model(ids, use_cache=False).logits[0].log_softmax(-1)[len(prompt) - 1 : -1]
    return lp[range(len(action)), torch.tensor(action)]

for i, (name, config) in enumerate(FAMILIES.items()):
    if sys.argv[1:] and name not in sys.argv[1:]: continue
    torch.manual_seed(i); width = config.get_text_config().hidden_size
    model = tf.AutoModelForCausalLM.from_config(config, attn_implementation="eager").float().eval()
    with torch.no_grad():
        for n, p in model.named_parameters():
            p.add_(torch.randn_like(p) * 0.2) if p.ndim == 1 else p.mul_(9)
    if name == "llama3" or width < 32 or name == "phi3": model.to(torch.bfloat16)
    folder = f"{here}/{name}"; model.save_pretrained(folder, max_shard_size="40KB" if name == "llama3" else "5GB")
    model = tf.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    layer, out = 1, {"layer": 1, "sequences": [{"prompt": p, "mask": m, "action": a} for p, m, a in SEQUENCES]}
    theta = torch.randn(width) * 0.7
    out["theta"] = theta.tolist()
    with torch.no_grad():
        out["logprobs"] = [logprobs(model, p, a).tolist() for p, _, a in SEQUENCES]
        out["residuals"] = [model(torch.tensor([p]), output_hidden_states=True).hidden_states[layer + 1][0].tolist() for p, _, _ in SEQUENCES]
        out["greedy"] = [model.generate(torch.tensor([p]), attention_mask=torch.ones(1, len(p), dtype=torch.long), max_new_tokens=8, do_sample=False, eos_token_id=None, pad_token_id=0)[0, len(p):].tolist() for p, _, _ in SEQUENCES]
    t = theta.clone().requires_grad_(); losses, scores = [], []
    for p, m, a in SEQUENCES:
        h = steered(model, layer, t, p + a, m); lp = logprobs(model, p, a); h.remove()
        scores.append(lp.tolist()); losses.append(-lp.mean())
    loss = torch.stack(losses).mean(); loss.backward()
    out |= {"steered": scores, "loss": loss.item(), "gradient": t.grad.tolist()}
    per = []
    for p, m, a in SEQUENCES:
        d = torch.zeros(1, len(p + a), width, requires_grad=True)
        h = layers(model)[layer].register_forward_hook(lambda _m, _i, o: (o[0] + d,) + o[1:] if isinstance(o, tuple) else o + d)
        (-logprobs(model, p, a).mean()).backward(); h.remove()
        per.append(d.grad[0][: len(p)][torch.tensor(m).bool()].mean(0).tolist())
    out["attribution"] = per
    model.zero_grad()
    total = sum(-logprobs(model, p, a).mean() for p, _, a in SEQUENCES) / len(SEQUENCES); total.backward()
    out["weightGradientNorms"] = {n.replace("language_model.", ""): p.grad.norm().item() for n, p in model.named_parameters() if p.grad is not None}
    if name in ("llama", "qwen2"):
        torch.manual_seed(9)
        adapted = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", r=3, lora_alpha=12, use_rslora=name == "qwen2", target_modules=["q_proj", "v_proj", "o_proj", "down_proj"], layers_to_transform=[2, 3]))
        with torch.no_grad():
            for n, w in adapted.named_parameters():
                if "lora_" in n: w.copy_(torch.randn_like(w) * 0.3)
            adapted.save_pretrained(f"{folder}/adapter")
            out["adapted"] = [logprobs(adapted, p, a).tolist() for p, _, a in SEQUENCES]
        if os.path.exists(f"{folder}/adapter/README.md"): os.remove(f"{folder}/adapter/README.md")
    if os.path.exists(f"{folder}/generation_config.json"): os.remove(f"{folder}/generation_config.json")
    round6 = lambda x: [round6(y) for y in x] if isinstance(x, list) else {k: round6(v) for k, v in x.items()} if isinstance(x, dict) else float(f"{x:.7g}") if isinstance(x, float) else x
    json.dump(round6(out), open(f"{folder}/expected.json", "w"))
    print(name, loss.item())
