"""Small random models as GGUF files, laid out as llama.cpp's converter lays them out. Used by gguf_goldens.py and test/python/gguf.py.
The writer and the quantisation are the `gguf` package's; names, permutation, offsets and keys follow convert_hf_to_gguf.py."""
import io, math, gguf, numpy as np, sentencepiece, torch
from gguf.quants import quantize
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoConfig, AutoModelForCausalLM

T = gguf.GGMLQuantizationType
TEXTS = ["What is the best way to ripen a mango?", "Tell me about the moons of Mars.", "I won't answer because I don't like fruit.",
         "naïve café ½ 東京 🙂 emoji", "def main():\n    return 42\n", "  leading spaces and\ttabs", "user assistant system", "12 345 6789"] * 20
TEMPLATE = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
NORMAL, UNKNOWN, CONTROL, USER, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SPLITS = {"llama-bpe": LLAMA3, "qwen2": LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")}


def bpe(pre="llama-bpe", size=320):
    """Byte-level BPE: ordinary tokens, three control tokens, one user-defined, unused ones up to `size`."""
    t = Tokenizer(models.BPE())
    split = SPLITS.get(pre)
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=split is None)
    first = [pre_tokenizers.Split(Regex(split), "isolated")] if split else [pre_tokenizers.Digits(individual_digits=True)] if pre == "smollm" else []
    t.pre_tokenizer = pre_tokenizers.Sequence([*first, byte_level])
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=size - 12, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    import json
    model = json.loads(t.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    types = [NORMAL] * len(tokens)
    for text, kind in [("<|endoftext|>", CONTROL), ("<|im_start|>", CONTROL), ("<|im_end|>", CONTROL), ("<think>", USER)]:
        tokens.append(text), types.append(kind)
    while len(tokens) < size:
        tokens.append(f"[PAD{len(tokens)}]"), types.append(UNUSED)
    at = tokens.index
    return {"original": t, "model": "gpt2", "pre": pre, "tokens": tokens, "types": types, "merges": [" ".join(m) for m in model["merges"]],
            "bos": at("<|endoftext|>"), "eos": at("<|im_end|>"), "eot": at("<|im_end|>"), "pad": at("<|endoftext|>"), "add_bos": False}


def spm(size=420, gemma=False, prefix=True):
    """A SentencePiece BPE vocabulary with byte fallback."""
    out = io.BytesIO()
    special = dict(pad_id=0, eos_id=1, bos_id=2, unk_id=3, bos_piece="<bos>", eos_piece="<eos>") if gemma else dict(pad_id=-1)
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter([s for s in TEXTS if "東" not in s]), model_writer=out, vocab_size=size, model_type="bpe", byte_fallback=True,
        user_defined_symbols=["<|im_start|>", "<|im_end|>"] + (["<start_of_turn>"] if gemma else []), hard_vocab_limit=False, minloglevel=2, normalization_rule_name="identity", add_dummy_prefix=prefix, remove_extra_whitespaces=False, **special)
    p = sentencepiece.SentencePieceProcessor(model_proto=out.getvalue())
    tokens, scores, types = [], [], []
    for i in range(p.vocab_size()):
        text = p.id_to_piece(i)
        kind = UNKNOWN if p.is_unknown(i) else CONTROL if p.is_control(i) or text.startswith("<|im_") else BYTE if p.is_byte(i) else USER if text == "<start_of_turn>" else NORMAL
        tokens.append(text), scores.append(p.get_score(i)), types.append(kind)
    if gemma:  # runs of spaces are user-defined and spelt with spaces
        for n in range(2, 5):
            tokens.append(" " * n), scores.append(-1000.0), types.append(USER)
    out = {"model": "llama", "pre": "default", "tokens": tokens, "scores": scores, "types": types, "bos": tokens.index("<bos>" if gemma else "<s>"),
           "eos": tokens.index("<eos>" if gemma else "</s>"), "unk": tokens.index("<unk>"), "eot": tokens.index("<|im_end|>"), "add_bos": True, "add_space_prefix": prefix}
    return {**out, "pad": tokens.index("<pad>")} if gemma else out


def random_model(seed, **config):
    """A random decoder of transformers; norms near 1, other weights of size 0.3."""
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**config)).float().eval()
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(1 + torch.randn_like(p) * 0.2 if p.ndim == 1 else torch.randn_like(p) * 0.3)
    return model


def sizes(tok, **more):
    return dict(vocab_size=len(tok["tokens"]), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=256, **more)


def permute(w, heads):
    return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


def rope_divisors(config):
    """What convert_hf_to_gguf.py writes as rope_freqs.weight for rope type llama3."""
    r = config.rope_parameters
    half = (getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads) // 2
    low, high = r["original_max_position_embeddings"] / r["low_freq_factor"], r["original_max_position_embeddings"] / r["high_freq_factor"]
    out = []
    for i in range(half):
        wavelength = 2 * math.pi * r["rope_theta"] ** (i / half)
        smooth = (r["original_max_position_embeddings"] / wavelength - r["low_freq_factor"]) / (r["high_freq_factor"] - r["low_freq_factor"])
        out.append(1 if wavelength < high else r["factor"] if wavelength > low else 1 / ((1 - smooth) / r["factor"] + smooth))
    return np.array(out, dtype=np.float32)


def tensors_of(model, arch):
    """(name, f32 values) as the converter writes them."""
    c = model.config
    names = gguf.get_tensor_name_map(next(k for k, v in gguf.MODEL_ARCH_NAMES.items() if v == arch), c.num_hidden_layers)
    if arch == "llama" and c.rope_parameters.get("rope_type") == "llama3":
        yield "rope_freqs.weight", rope_divisors(c)
    for key, value in model.state_dict().items():
        if key == "lm_head.weight" and c.tie_word_embeddings:
            continue
        stem, suffix = key.rsplit(".", 1)
        w = value.numpy().astype(np.float32)
        if arch in ("llama", "smollm3") and stem.endswith("q_proj"):
            w = permute(w, c.num_attention_heads)
        if arch in ("llama", "smollm3") and stem.endswith("k_proj"):
            w = permute(w, c.num_key_value_heads)
        if arch.startswith("gemma") and stem.endswith("norm"):
            w = w + 1
        yield f"{names.get_name(stem)}.{suffix}", np.ascontiguousarray(w)


def save(path, model, arch, tok, quant="F32", mix=None, shards=1):
    """Writes `model` with its matrices as `quant` (`mix`: end of a tensor's name → another type), vectors as F32."""
    c = model.config
    w = gguf.GGUFWriter(path, arch, split_max_tensors=math.ceil((len(list(model.state_dict())) + 1) / shards) if shards > 1 else 0)
    w.add_type("model"), w.add_name("tiny"), w.add_quantization_version(2), w.add_file_type(0)
    w.add_block_count(c.num_hidden_layers), w.add_context_length(c.max_position_embeddings), w.add_embedding_length(c.hidden_size), w.add_feed_forward_length(c.intermediate_size)
    w.add_head_count(c.num_attention_heads), w.add_head_count_kv(c.num_key_value_heads), w.add_layer_norm_rms_eps(c.rms_norm_eps), w.add_vocab_size(c.vocab_size)
    head = getattr(c, "head_dim", None) or c.hidden_size // c.num_attention_heads
    rope = c.rope_parameters if "rope_theta" in c.rope_parameters else c.rope_parameters["full_attention"]
    w.add_rope_freq_base(rope["rope_theta"])
    w.add_rope_dimension_count(head)
    if arch != "qwen2":
        w.add_key_length(head), w.add_value_length(head)
    if arch in ("gemma2", "gemma3", "phi3") and c.sliding_window:
        w.add_sliding_window(c.sliding_window)
    if arch == "gemma2":
        w.add_attn_logit_softcapping(c.attn_logit_softcapping), w.add_final_logit_softcapping(c.final_logit_softcapping)
    if rope.get("rope_type") == "linear":
        w.add_rope_scaling_type(gguf.RopeScalingType.LINEAR), w.add_rope_scaling_factor(rope["factor"])
    w.add_tokenizer_model(tok["model"]), w.add_tokenizer_pre(tok["pre"]), w.add_token_list(tok["tokens"]), w.add_token_types(tok["types"])
    if "scores" in tok: w.add_token_scores(tok["scores"])
    if "merges" in tok: w.add_token_merges(tok["merges"])
    for key, add in [("bos", w.add_bos_token_id), ("eos", w.add_eos_token_id), ("eot", w.add_eot_token_id), ("pad", w.add_pad_token_id), ("unk", w.add_unk_token_id), ("add_bos", w.add_add_bos_token), ("add_space_prefix", w.add_add_space_prefix)]:
        if key in tok: add(tok[key])
    w.add_chat_template(TEMPLATE)
    for name, value in tensors_of(model, arch):
        kind = next((q for end, q in (mix or {}).items() if name.endswith(end)), quant) if value.ndim > 1 else "F32"
        if kind in ("F32", "F16"):
            w.add_tensor(name, value.astype(np.float32 if kind == "F32" else np.float16))
        else:
            w.add_tensor(name, quantize(value, T[kind]), raw_dtype=T[kind])
    w.write_header_to_file(), w.write_kv_data_to_file(), w.write_tensors_to_file(), w.close()
