"""Writes tokenizer/<kind>.json: small tokenizers and what transformers makes of texts with them.
usage: tokenizer.py [OUTDIR [TEXTS [MAX_LENGTH]]]   (needs transformers >= 5, tokenizers)
Spans are transformers' offset_mapping, converted from code points to UTF-16 units."""
import json, os, random, sys, tempfile
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "tokenizer")
count = int(sys.argv[2]) if len(sys.argv) > 2 else 40
longest = int(sys.argv[3]) if len(sys.argv) > 3 else 24
os.makedirs(out, exist_ok=True)
TRAIN = ["What is the best way to ripen a mango?", "Tell me about the moons of Mars.", "I won't answer because I don't like fruit.",
         "naïve café ½ 東京 🙂 emoji", "def main():\n    return 42\n", "  leading spaces and\ttabs", "user assistant system", "12 345 6789"] * 20
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
CHATML, HEADERS = ["<|im_start|>", "<|im_end|>", "<|endoftext|>"], ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]


def byte_level(pre, special, normalizer=None, post=None, **model):
    t = Tokenizer(models.BPE(**model))
    t.pre_tokenizer, t.decoder = pre, decoders.ByteLevel()
    if normalizer: t.normalizer = normalizer
    t.train_from_iterator(TRAIN, trainers.BpeTrainer(vocab_size=340, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    if post: t.post_processor = post
    return PreTrainedTokenizerFast(tokenizer_object=t, bos_token=special[0], eos_token=special[1])


def sentencepiece(pre=None, normalizer=None, bytes_too=True, **model):
    t = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=bytes_too, **model))
    if pre: t.pre_tokenizer = pre
    if normalizer: t.normalizer = normalizer
    t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    special = ["<unk>", "<s>", "</s>"] + ([f"<0x{b:02X}>" for b in range(256)] if bytes_too else [])
    t.train_from_iterator([s for s in TRAIN if "東" not in s], trainers.BpeTrainer(vocab_size=len(special) + 90, special_tokens=special, show_progress=False))
    state = json.loads(t.to_str())  # byte pieces are plain vocabulary in real files, not added tokens
    state["added_tokens"] = [a for a in state["added_tokens"] if not a["content"].startswith("<0x")]
    t = Tokenizer.from_str(json.dumps(state))
    return PreTrainedTokenizerFast(tokenizer_object=t, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def unigram():
    t = Tokenizer(models.Unigram())
    t.normalizer, t.pre_tokenizer, t.decoder = normalizers.Replace(Regex(" {2,}"), " "), pre_tokenizers.Metaspace(), decoders.Metaspace()
    t.train_from_iterator(TRAIN[:3], trainers.UnigramTrainer(vocab_size=60, special_tokens=["<unk>", "<s>", "</s>"], unk_token="<unk>", show_progress=False))
    return PreTrainedTokenizerFast(tokenizer_object=t, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def spelling():
    """A Unigram vocabulary that spells what it lacks in bytes, as llm-jp's do."""
    state = json.loads(unigram()._tokenizer.to_str())
    state["model"].update(byte_fallback=True, vocab=state["model"]["vocab"] + [[f"<0x{b:02X}>", -50.0] for b in range(256)])
    state["decoder"] = json.loads(sentencepiece()._tokenizer.to_str())["decoder"]
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(state)), bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def with_added(tok):
    tok.add_tokens([AddedToken("<|user|>", special=True, rstrip=True), AddedToken("<mask>", special=True, lstrip=True), AddedToken("ripe", single_word=True, normalized=True), AddedToken("Ünï", normalized=True)])
    return tok


BL, pt = pre_tokenizers.ByteLevel, pre_tokenizers
KINDS = {
    "llama3": lambda: byte_level(BL(add_prefix_space=False), HEADERS, post=processors.TemplateProcessing(single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", 0)])),
    "chatml": lambda: byte_level(BL(add_prefix_space=False), CHATML),
    "llama3-split": lambda: byte_level(pt.Sequence([pt.Split(Regex(LLAMA3), "isolated"), BL(add_prefix_space=False, use_regex=False)]), HEADERS, ignore_merges=True,
                                       post=processors.Sequence([processors.ByteLevel(trim_offsets=True), processors.TemplateProcessing(single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", 0)])])),
    "qwen": lambda: byte_level(pt.Sequence([pt.Split(Regex(QWEN), "isolated"), BL(add_prefix_space=False, use_regex=False)]), CHATML, normalizer=normalizers.NFC(), post=processors.ByteLevel(trim_offsets=False)),
    "qwen2-by-type": lambda: byte_level(BL(add_prefix_space=False), CHATML),  # with config.json below: transformers replaces the pre-tokenizer
    "digits": lambda: byte_level(pt.Sequence([pt.Digits(individual_digits=True), BL(add_prefix_space=False)]), CHATML),
    "prefix-trim": lambda: byte_level(BL(add_prefix_space=True), CHATML, post=processors.ByteLevel(trim_offsets=True, add_prefix_space=True)),
    "added": lambda: with_added(byte_level(BL(add_prefix_space=False), CHATML, normalizer=normalizers.NFKC())),
    "metaspace": lambda: sentencepiece(pre=pt.Metaspace(prepend_scheme="always")),
    "metaspace-first": lambda: sentencepiece(pre=pt.Metaspace(prepend_scheme="first", split=False), fuse_unk=True),
    "prepend": lambda: with_added(sentencepiece(normalizer=normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]), fuse_unk=True)),
    "gemma": lambda: sentencepiece(pre=pt.Split(" ", "merged_with_previous"), normalizer=normalizers.Replace(" ", "▁"), fuse_unk=True),
    "unknown": lambda: sentencepiece(pre=pt.Metaspace(prepend_scheme="always"), bytes_too=False),
    "unknown-fused": lambda: sentencepiece(pre=pt.Metaspace(prepend_scheme="never"), bytes_too=False, fuse_unk=True),
    "unigram": unigram,
    "unigram-bytes": spelling,
    "accents": lambda: with_added(byte_level(BL(add_prefix_space=False), CHATML, normalizer=normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()]), post=processors.ByteLevel(trim_offsets=True))),
    # Classes that transformers makes anew, whatever the file's own steps: Llama 2's file writes "▁" after special tokens too
    "llama-class": lambda: sentencepiece(normalizer=normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]), fuse_unk=True),
    "llama-class-legacy": lambda: sentencepiece(normalizer=normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]), fuse_unk=True),
    "gpt2-class": lambda: byte_level(pt.Sequence([pt.Split(Regex(LLAMA3), "isolated"), BL(add_prefix_space=False, use_regex=False)]), CHATML),
}
# What is written over the files, for AutoTokenizer to go by
BY_CLASS = {
    "qwen2-by-type": ({"model_type": "qwen2"}, {}),
    "llama-class": ({"model_type": "llama"}, {"tokenizer_class": "LlamaTokenizerFast", "legacy": False}),
    "llama-class-legacy": ({"model_type": "llama"}, {"tokenizer_class": "LlamaTokenizer", "legacy": True}),
    "gpt2-class": ({"model_type": "llama"}, {"tokenizer_class": "GPT2Tokenizer"}),
}
FIXED = ["", " ", "\n", "hello", "  a", "hello world  x", " x ", "a 🙃 b", "é", " 🙃", "👩‍👩‍👧 family", "x\t\ty", "東京 日本語", "e\u0301 caf\u0065\u0301", "q\u0323\u0307x", "각 각", "ﬁne ½ Å",
         "<|im_end|>", "say <|im_end|> now", "<|im_end|><|im_end|>x", "<|eot_id|> z", "<|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|>", "a <|begin_of_text|>b", "<s>x</s> <unk>",
         "don't I'LL we've", "1234567 ٣٤ ²", "def main():\n    return 42", "a\u00a0b\u2003c", "x\ufeffy", "line\u0085next", "tail \n \n", "<|user|>  hi", "hey  <mask> there", "ripe ripen ripe!", "Ünï U\u0308ni\u0308", "▁ _▁x",
         "<0x41> \u0000 \x7f", "\U0001F468\u200D\U0001F4BB ok", "नमस्ते", "مرحبا", "word" * 30]
ALPHABET = list("aeinorst ,.'\n\t  12") + ["🙂", "é", "e\u0301", "東", "ß", "\u0323", "\u0307", "\u00a0", "Å", "ﬁ", "<|im_end|>", "<|eot_id|>", "</s>", "ripe", "<mask>", "<|user|>", "▁", "mango", "\u1100\u1161\u11a8", "\ufeff"]
draw = random.Random(7)
TEXTS = FIXED + ["".join(draw.choice(ALPHABET) for _ in range(draw.randint(1, longest))) for _ in range(count)]
for name, make in KINDS.items():
    tok = make(); cases = []
    with tempfile.TemporaryDirectory() as d:
        tok.save_pretrained(d)
        files = {f: json.load(open(os.path.join(d, f))) for f in ("tokenizer.json", "tokenizer_config.json")}
        if name in BY_CLASS:
            files["config.json"], settings = BY_CLASS[name]
            files["tokenizer_config.json"].update(settings)
            for f in ("config.json", "tokenizer_config.json"): json.dump(files[f], open(os.path.join(d, f), "w"))
            tok = AutoTokenizer.from_pretrained(d)
        else: tok = PreTrainedTokenizerFast.from_pretrained(d)
    for text in TEXTS:
        e = tok(text, add_special_tokens=False, return_offsets_mapping=True)
        units = [0]
        for c in text: units.append(units[-1] + (2 if ord(c) > 0xFFFF else 1))
        cases.append({"text": text, "ids": e.input_ids, "spans": [[units[a], units[b]] for a, b in e.offset_mapping], "decoded": tok.decode(e.input_ids)})
    json.dump({"files": files, "vocabulary": len(tok), "eos": tok.eos_token_id, "cases": cases}, open(os.path.join(out, name + ".json"), "w"), ensure_ascii=True, separators=(",", ":"))
print(f"{len(KINDS)} tokenizers, {len(TEXTS)} texts each")
