"""Writes what bitsandbytes makes of values: NF4 codes, magnitudes plain and quantised again, and dequantised values; and a
checkpoint that transformers saved in 4 bits, with its log-probabilities.
usage: python test/goldens/nf4.py   (torch, transformers, bitsandbytes, accelerate; writes test/goldens/nf4/)
All widths are multiples of the block: the CPU kernel of bitsandbytes 0.50 takes magnitudes of wrong blocks where one spans rows. No
magnitude lies within 1e-5 of their mean: there the same kernel does not take the nearest of the 256 levels."""
import json, os, shutil, tempfile, torch
import bitsandbytes.functional as F
import transformers as tf
from safetensors.torch import save_file

here = os.path.dirname(os.path.abspath(__file__))
out = f"{here}/nf4"
shutil.rmtree(out, ignore_errors=True); os.makedirs(out)
torch.manual_seed(0)
tensors = {}
for name, values in {"normal": torch.randn(40, 64), "short": torch.randn(3, 50) * 0.02, "zeros": torch.zeros(2, 64), "half": (torch.randn(20, 128) * 3).bfloat16(), "edges": torch.linspace(-1, 1.2, 704).reshape(11, 64)}.items():
    tensors[f"{name}.values"] = values.contiguous()
    for kind, double in {"plain": False, "double": True}.items():
        packed, state = F.quantize_4bit(values, blocksize=64, quant_type="nf4", compress_statistics=double)
        tensors |= {f"{name}.{kind}.packed": packed, f"{name}.{kind}.magnitudes": state.absmax, f"{name}.{kind}.dequantised": F.dequantize_4bit(packed, state).contiguous()}
        if double: tensors |= {f"{name}.{kind}.offset": state.offset.reshape(1), f"{name}.{kind}.outer": state.state2.absmax, "levels": state.state2.code.clone()}
save_file(tensors, f"{out}/values.safetensors")

SEQUENCES = [([3, 17, 42, 8, 91, 5], [7, 30, 2]), ([3, 60, 61, 62, 63, 64, 65, 66, 5], [11])]
base = dict(vocab_size=96, hidden_size=64, intermediate_size=64, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=128)
CASES = {
    "double": (tf.Phi3Config(**base, num_hidden_layers=2, pad_token_id=0, eos_token_id=1), True, torch.bfloat16),
    "plain": (tf.Qwen3Config(**base, num_hidden_layers=1, head_dim=16, tie_word_embeddings=True), False, torch.float32),
}
for name, (config, double, dtype) in CASES.items():
    folder = tempfile.mkdtemp()
    made = tf.AutoModelForCausalLM.from_config(config).float()
    with torch.no_grad():
        for p in made.parameters(): p.add_(torch.randn_like(p) * 0.2)
    made.to(dtype).save_pretrained(folder)
    config = tf.BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=double, bnb_4bit_compute_dtype=torch.float32)
    model = tf.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, quantization_config=config, device_map="cpu", attn_implementation="eager")
    model.save_pretrained(f"{out}/{name}")
    if os.path.exists(f"{out}/{name}/generation_config.json"): os.remove(f"{out}/{name}/generation_config.json")
    # The same values in ordinary linear layers: bitsandbytes' own CPU product is of half precision.
    plain = tf.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    with torch.no_grad():
        for key, module in model.named_modules():
            if module.__class__.__name__ == "Linear4bit":
                plain.get_submodule(key).weight.copy_(F.dequantize_4bit(module.weight.data, module.weight.quant_state).float())
            elif hasattr(module, "weight"): plain.get_submodule(key).weight.copy_(module.weight.float())
        said = []
        for prompt, action in SEQUENCES:
            lp = plain(torch.tensor([prompt + action]), use_cache=False).logits[0].log_softmax(-1)[len(prompt) - 1 : -1]
            said.append([float(f"{x:.7g}") for x in lp[range(len(action)), torch.tensor(action)].tolist()])
    json.dump({"sequences": SEQUENCES, "logprobs": said}, open(f"{out}/{name}/expected.json", "w"))
    print(name, said)
