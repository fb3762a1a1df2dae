"""GGUF models through the command line against transformers' own loading of the same files: logits, token ids, and larger random
blocks dequantised bit for bit. Prints one line a check; exit status 0 when all hold.
usage: python test/python/gguf_models.py (torch, transformers, gguf, sentencepiece)"""
import json, os, subprocess, sys, tempfile, warnings
warnings.filterwarnings("ignore"); os.environ["TRANSFORMERS_VERBOSITY"] = "error"
root = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
sys.path.insert(0, f"{root}/test/goldens"); sys.dont_write_bytecode = True
import numpy as np, torch
from transformers import AddedToken, AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast
from gguf_files import T, TEXTS, bpe, random_model, save, sizes, spm
from gguf_goldens import READ, blocks, texts

ACTION = "I won't answer because 12345 naïve 東京 🙂"
PROMPTS = ["How do I keep basil fresh?", "  two spaces,\n\n and\ttabs 007", "déjà vu 🙃 ½"]
LLAMA3 = {"rope_type": "llama3", "rope_theta": 5e5, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
plain = lambda theta: {"rope_type": "default", "rope_theta": theta}
failed = 0

def check(name, ok, detail=""):
    global failed; failed += not ok
    print("ok  " if ok else "FAIL", name, detail, flush=True)

def cli(*args):
    r = subprocess.run(["node", f"{root}/bin/antecedent.js", *args, "--json"], capture_output=True, text=True)
    assert r.returncode == 0, r.stderr[-400:]
    return json.loads(r.stdout)

def reference(folder, file, config=None):
    """The model that transformers makes of the file. `config` replaces what it makes of the metadata where it drops something; or a model."""
    if isinstance(config, torch.nn.Module): return config
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32).eval()
    if config is None: return model
    fixed = AutoModelForCausalLM.from_config(config).float().eval(); fixed.load_state_dict(model.state_dict())
    return fixed

@torch.no_grad()
def compare(name, folder, file, config=None):
    tok = AutoTokenizer.from_pretrained(folder, gguf_file=file); model = reference(folder, file, config)
    path = f"{folder}/prompts.jsonl"; open(path, "w").write("".join(json.dumps(p) + "\n" for p in PROMPTS))
    rows = cli("score", "--model", f"{folder}/{file}", "--prompts", path, "--action", ACTION)["rows"]
    action = tok(ACTION, add_special_tokens=False).input_ids; worst = spread = 0
    for prompt, row in zip(PROMPTS, rows):
        text = tok.apply_chat_template([{"role": "user", "content": prompt}], add_generation_prompt=True, tokenize=False)
        ids = tok(text, add_special_tokens=False).input_ids
        logits = model(torch.tensor([ids + action])).logits[0].log_softmax(-1)[len(ids) - 1 : -1]
        if row["tokens"] != action: return check(name, False, f"ids {row['tokens']} for {action}")
        worst = max(worst, np.abs(logits[range(len(action)), action].numpy() - row["tokenLogprobs"]).max()); spread = max(spread, (logits.max() - logits.min()).item())
    check(name, worst / spread < 1e-4, f"largest difference {worst / spread:.1e} of the spread")

def compare_ids(name, folder, file, tok=None):
    """Ids and decoded texts; `tok` replaces what transformers makes of the file."""
    tok = tok or AutoTokenizer.from_pretrained(folder, gguf_file=file); given = texts(name, 400) + TEXTS[:8]
    script = f"""import {{ openModelFolder }} from "{root}/dist/cli/model/open-model.js"; import {{ loadTokenizer }} from "{root}/dist/model/tokenizer.js";
      const t = await loadTokenizer(await openModelFolder(process.argv[1])); const texts = JSON.parse((await import("node:fs")).readFileSync(0, "utf8"));
      console.log(JSON.stringify(texts.map((x) => [[...t.encode(x)], t.decode(t.encode(x))])));"""
    r = subprocess.run(["node", "--input-type=module", "-e", script, f"{folder}/{file}"], input=json.dumps(given), capture_output=True, text=True)
    assert r.returncode == 0, r.stderr[-600:]
    wrong = []
    for x, (ids, text) in zip(given, json.loads(r.stdout)):
        want = tok(x, add_special_tokens=False).input_ids
        if ids != want or text != tok.decode(want, clean_up_tokenization_spaces=False): wrong.append((x, ids, want, text, tok.decode(want)))
    check(f"ids of {name}", not wrong, f"{len(given) - len(wrong)} of {len(given)} texts" + (f", first {wrong[0]!r}" if wrong else ""))

def random_blocks(folder):
    """A llama with matrices of random K blocks: converted values against the gguf package's, logits against transformers."""
    tok = bpe(); rng = np.random.default_rng(1); raw = {}
    config = {**sizes(tok), "hidden_size": 256, "intermediate_size": 512}
    model = random_model(5, model_type="llama", **config, tie_word_embeddings=True, rope_parameters=plain(1e4))
    import gguf_files
    def fake(value, kind):
        data = blocks(kind.name, value.size // gguf_files.gguf.GGML_QUANT_SIZES[kind][0], rng) if kind.name in READ else original(value, kind)
        return data.reshape(value.shape[0], -1)
    original, gguf_files.quantize = gguf_files.quantize, fake
    save(f"{folder}/blocks.gguf", model, "llama", tok, "Q4_K", {"attn_q.weight": "Q5_K", "attn_k.weight": "Q3_K", "attn_v.weight": "Q6_K", "ffn_down.weight": "IQ4_XS", "ffn_up.weight": "Q2_K", "token_embd.weight": "IQ4_NL"})
    gguf_files.quantize = original
    compare("random K and IQ4 blocks", folder, "blocks.gguf")

with tempfile.TemporaryDirectory() as tmp:
    os.environ["ANTECEDENT_CACHE"] = f"{tmp}/cache"
    chatml, qwen, llama, gemma = bpe(), bpe("qwen2"), spm(), spm(gemma=True, prefix=False)
    models = {
        "llama": ("llama", chatml, dict(model_type="llama", **sizes(chatml), tie_word_embeddings=False, rope_parameters=plain(1e4))),
        "llama with llama3 rope": ("llama", chatml, dict(model_type="llama", **sizes(chatml), tie_word_embeddings=True, rope_parameters=LLAMA3)),
        "llama with biases": ("llama", chatml, dict(model_type="llama", **sizes(chatml), attention_bias=True, mlp_bias=True, rope_parameters=plain(1e4))),
        "llama with linear rope": ("llama", chatml, dict(model_type="llama", **sizes(chatml), rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 1e4})),
        "llama, SentencePiece": ("llama", llama, dict(model_type="llama", **sizes(llama), rope_parameters=plain(1e4))),
        "qwen2": ("qwen2", qwen, dict(model_type="qwen2", **sizes(qwen), tie_word_embeddings=True, rope_parameters=plain(1e6))),
        "gemma2": ("gemma2", gemma, dict(model_type="gemma2", **sizes(gemma), head_dim=16, query_pre_attn_scalar=16, sliding_window=8)),
    }
    for i, (name, (arch, tok, config)) in enumerate(models.items()):
        for quant in ["F32"] if "biases" in name else ["F32", "F16", "Q8_0", "Q4_0", "Q5_1"]:
            model, file = random_model(i, **config), f"{i}-{quant}.gguf"; save(f"{tmp}/{file}", model, arch, tok, quant)
            # transformers drops rope_freqs.weight, rope scaling, the scale of Gemma's scores, and turns q and k but not their biases.
            instead = model if "biases" in name else None if name in ("llama", "qwen2", "llama, SentencePiece") else AutoConfig.for_model(**config)
            compare(f"{name} {quant}", tmp, file, instead)
    for name, file in [("llama-bpe", "0-F32.gguf"), ("qwen2", "5-F32.gguf"), ("SentencePiece", "4-F32.gguf"), ("gemma", "6-F32.gguf")]: compare_ids(name, tmp, file)
    for pre in ["default", "smollm", "tekken", "gpt-4o"]:
        tok = bpe(pre); save(f"{tmp}/{pre}.gguf", random_model(9, model_type="llama", **sizes(tok), rope_parameters=plain(1e4)), "llama", tok)
        original = None
        if pre == "smollm":  # transformers does not know that it takes digits one by one: the tokenizer itself is the reference
            original = PreTrainedTokenizerFast(tokenizer_object=tok["original"])
            original.add_tokens([AddedToken(x, special=x != "<think>", normalized=False) for x in tok["tokens"][308:312]])
        compare_ids(pre, tmp, f"{pre}.gguf", original)
    random_blocks(tmp)
sys.exit(failed > 0)
