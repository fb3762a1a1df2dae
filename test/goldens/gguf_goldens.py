"""Writes gguf/: small GGUF files and what the `gguf` package and transformers make of them.
usage: gguf_goldens.py   (needs torch, transformers, gguf, sentencepiece, sae-lens)"""
import json, os, random, shutil, warnings
warnings.filterwarnings("ignore"); os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import gguf, numpy as np, torch
from gguf.quants import dequantize, quantize
from safetensors.numpy import save_file
from sae_lens import StandardSAE, StandardSAEConfig
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from gguf_files import T, bpe, random_model, save, sizes, spm

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gguf")
WRITTEN = ["BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"]  # the package can quantise to these
READ = {"Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0], "IQ4_XS": [0]}  # and read these; where their f16 scales lie


def blocks(kind, count, rng):
    """Random blocks with finite scales."""
    size = gguf.GGML_QUANT_SIZES[T[kind]][1]
    data = rng.integers(0, 256, (count, size), dtype=np.uint8)
    for at in READ[kind]:
        data[:, at : at + 2] = (rng.standard_normal((count, 1)) * 0.01).astype(np.float16).view(np.uint8)
    return data


def types():
    rng = np.random.default_rng(0)
    w = gguf.GGUFWriter(f"{OUT}/types.gguf", "llama")
    expected = {}
    for kind in ["F32", "F16"] + WRITTEN:
        x = (rng.standard_normal((2, 96)) * 10.0 ** rng.integers(-3, 3, (2, 1))).astype(np.float32)
        stored = x if kind == "F32" else x.astype(np.float16) if kind == "F16" else quantize(x, T[kind])
        w.add_tensor(kind, stored, raw_dtype=None if kind in ("F32", "F16") else T[kind])
        expected[kind] = stored.astype(np.float32) if kind in ("F32", "F16") else dequantize(stored, T[kind])
    for kind in READ:
        size = gguf.GGML_QUANT_SIZES[T[kind]][0]
        data = blocks(kind, 4, rng).reshape(2, -1)
        w.add_tensor(kind, data, raw_dtype=T[kind])
        expected[kind] = dequantize(data, T[kind])
        assert expected[kind].shape == (2, 2 * size) and np.isfinite(expected[kind]).all()
    w.write_header_to_file(), w.write_kv_data_to_file(), w.write_tensors_to_file(), w.close()
    save_file({k: np.ascontiguousarray(v, dtype=np.float32) for k, v in expected.items()}, f"{OUT}/types.safetensors")


ACTION = "I won't answer because 12345 naïve 🙂"
PROMPTS = ["How do I keep basil fresh?", "  two spaces,\n and 007", "déjà vu 🙃"]
LAYER = 0


def texts(seed, count=40):
    rng = random.Random(seed)
    parts = ["a", "e", "mango", " ", "  ", "\n", "\t", "'s", "'LL", "7", "2024", "é", "東", "🙂", "½", "!", "...", "A", "Bc", "\u00a0", "e\u0301", "<|im_end|>", "<think>", "<start_of_turn>", "▁"]
    return ["".join(rng.choice(parts) for _ in range(rng.randrange(1, 16))) for _ in range(count)]


def ids_of(tok, seed):
    return [{"text": x, "ids": tok(x, add_special_tokens=False).input_ids, "decoded": tok.decode(tok(x, add_special_tokens=False).input_ids)} for x in texts(seed)]


def scored(model, tok, sae=None):
    """Log-probabilities of the action's tokens after each prompt; with an SAE, scores of its latents by attribution."""
    action, rows, directions = tok(ACTION, add_special_tokens=False).input_ids, [], []
    for prompt in PROMPTS:
        text = tok.apply_chat_template([{"role": "user", "content": prompt}], add_generation_prompt=True, tokenize=False)
        start = text.index(prompt)
        e = tok(text, add_special_tokens=False, return_offsets_mapping=True)
        user = [b > a and a >= start and b <= start + len(prompt) for a, b in e.offset_mapping]
        grab = {}
        def keep(module, inputs, output):
            grab["h"] = output[0] if isinstance(output, tuple) else output
            grab["h"].retain_grad()
        handle = model.model.layers[LAYER].register_forward_hook(keep)
        logits = model(torch.tensor([e.input_ids + action]), use_cache=False).logits[0].log_softmax(-1)[len(e.input_ids) - 1 : -1]
        handle.remove()
        chosen = logits[range(len(action)), action]
        (-chosen.mean()).backward()
        rows.append(chosen.tolist())
        directions.append(grab["h"].grad[0][: len(user)][torch.tensor(user)].mean(0))
    out = {"action": action, "logprobs": rows}
    if sae is not None:
        score = -(sae.W_dec @ torch.stack(directions).mean(0))
        out["latents"] = [{"id": i.item(), "score": score[i].item()} for i in score.argsort(descending=True)[:8]]
    return out


def gguf_model(file, config=None):
    """transformers' own loading of the file. It drops rope_freqs.weight, so `config` puts the scaling back."""
    model = AutoModelForCausalLM.from_pretrained(OUT, gguf_file=file, dtype=torch.float32).eval()
    if config is None:
        return model
    scaled = AutoModelForCausalLM.from_config(config).float().eval()
    scaled.load_state_dict(model.state_dict())
    return scaled


def models():
    expected = {}
    tok = bpe("llama-bpe")
    rope = {"rope_type": "llama3", "rope_theta": 5e5, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
    config = dict(model_type="llama", **sizes(tok), tie_word_embeddings=True, rope_parameters=rope)
    save(f"{OUT}/llama.gguf", random_model(0, **config), "llama", tok, "Q8_0", {"ffn_down.weight": "Q4_0", "attn_v.weight": "F16"})
    sae = StandardSAE(StandardSAEConfig(d_in=32, d_sae=48, dtype="float32", device="cpu"))
    sae.cfg.metadata.hook_name = f"blocks.{LAYER}.hook_resid_post"
    torch.manual_seed(1)
    with torch.no_grad():
        for p in sae.parameters():
            p.copy_(torch.randn_like(p) * 0.3)
    sae.save_model(f"{OUT}/sae")
    hf = AutoTokenizer.from_pretrained(OUT, gguf_file="llama.gguf")
    expected["llama"] = {"file": "llama.gguf", **scored(gguf_model("llama.gguf", AutoConfig.for_model(**config)), hf, sae), "cases": ids_of(hf, 0)}

    # Two parts: transformers reads one file, so the reference is the same model written whole.
    tok = bpe("qwen2")
    model = random_model(2, model_type="qwen2", **sizes(tok), tie_word_embeddings=False, rope_parameters={"rope_type": "default", "rope_theta": 1e6})
    save(f"{OUT}/qwen2.gguf", model, "qwen2", tok, "Q4_0")
    hf = AutoTokenizer.from_pretrained(OUT, gguf_file="qwen2.gguf")
    expected["qwen2"] = {"file": "qwen2-00001-of-00002.gguf", **scored(gguf_model("qwen2.gguf"), hf), "cases": ids_of(hf, 1)}
    os.remove(f"{OUT}/qwen2.gguf")
    save(f"{OUT}/qwen2.gguf", model, "qwen2", tok, "Q4_0", shards=2)

    tok = spm()
    save(f"{OUT}/sentencepiece.gguf", random_model(3, model_type="llama", **sizes(tok), rope_parameters={"rope_type": "default", "rope_theta": 1e4}), "llama", tok, "Q4_0")
    hf = AutoTokenizer.from_pretrained(OUT, gguf_file="sentencepiece.gguf")
    expected["sentencepiece"] = {"file": "sentencepiece.gguf", **scored(gguf_model("sentencepiece.gguf"), hf), "cases": ids_of(hf, 2)}
    with open(f"{OUT}/expected.json", "w") as f:
        json.dump(expected, f)
    with open(f"{OUT}/prompts.jsonl", "w") as f:
        f.writelines(json.dumps(p) + "\n" for p in PROMPTS)


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT)
    types()
    models()
