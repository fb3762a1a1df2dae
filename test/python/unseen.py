"""Checkpoints that nobody has seen: for every family one with geometry, rope, window, dtype, template, adapter and SAE drawn at
random, written by transformers, peft and sae_lens, on which the command line's numbers must be theirs.
Prints one line a check; exit status 0 when all hold. usage: python test/python/unseen.py [SEED] (torch, transformers, peft, sae_lens)"""
import json, os, random, subprocess, sys, tempfile, warnings
warnings.filterwarnings("ignore"); os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import sae_lens, torch
import transformers as tf
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
tf.utils.logging.disable_progress_bar(); torch.set_num_threads(1)

root = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
draw, failed = random.Random(seed), 0
WIDTH, LAYERS, LATENTS, ACTION = 48, 4, 96, "Sorry, I won't – not déjà vu 🙃."
PROMPTS = ["How do I keep basil fresh?", "  def main():\n    return 42", "x", "user",
           [("system", "Be brief."), ("user", "Hi, hi."), ("assistant", "Hi."), ("user", "e\u0301 東京 👩‍👩‍👧 שלום\n")]]
MESSAGES = [[("user", p)] if isinstance(p, str) else p for p in PROMPTS]
TEMPLATES = [
    "{% for m in messages %}{% if loop.first and m.role != 'system' %}<|im_start|>system\nHelp the user.<|im_end|>\n{% endif %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    "{{ bos_token }}{%- for m in messages %}\n    {%- set role = {'assistant': 'model'}[m.role] if m.role == 'assistant' else m.role %}\n    {{- '<|im_start|>' + role + '\\n\\n' + m.content | trim + '<|im_end|>' }}\n{%- endfor %}{{ '<|im_start|>model\n\n' if add_generation_prompt }}",
    "{%- set ns = namespace(last=messages | length - 1) %}{% for m in messages %}[{{ m.role | upper }}{{ ':last' if loop.index0 == ns.last }}] {{ m.content.strip('\\n') }}</{{ m.role }}>\n{% endfor %}[ASSISTANT] ",
]


def tokenizer():
    t = Tokenizer(models.BPE()); t.pre_tokenizer, t.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    t.train_from_iterator([ACTION, *(text for p in MESSAGES for _, text in p)] * 9, trainers.BpeTrainer(vocab_size=400, special_tokens=["<|im_end|>", "<|im_start|>", "<|bos|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    made = tf.PreTrainedTokenizerFast(tokenizer_object=t, bos_token="<|bos|>", eos_token="<|im_end|>")
    made.chat_template = draw.choice(TEMPLATES)
    return made


def rope(*kinds):
    kind = draw.choice(["default", *kinds])
    more = {"linear": {"factor": 3.0}, "dynamic": {"factor": 2.0}, "yarn": {"factor": 4.0, "original_max_position_embeddings": 64},
            "llama3": {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 32}}
    return {"rope_type": kind, "rope_theta": draw.choice([1e4, 5e5]), **more.get(kind, {})}


def config(family):
    heads = draw.choice([2, 4, 6])
    shared = dict(vocab_size=draw.choice([450, 512]), hidden_size=WIDTH, intermediate_size=draw.choice([64, 88]), num_hidden_layers=LAYERS, num_attention_heads=heads,
                  num_key_value_heads=draw.choice([1, heads // 2, heads]), max_position_embeddings=512, bos_token_id=2, eos_token_id=0, pad_token_id=2, tie_word_embeddings=draw.random() < 0.5)
    window, odd, bias = draw.choice([5, 9, 30]), {"head_dim": draw.choice([10, 16])}, {"attention_bias": draw.random() < 0.5}
    own = {
        "Llama": lambda: {**odd, **bias, "mlp_bias": draw.random() < 0.5, "rope_parameters": rope("linear", "dynamic", "yarn", "llama3")},
        "Mistral": lambda: {**odd, "sliding_window": draw.choice([None, window]), "rope_parameters": rope("yarn")},
        "Qwen2": lambda: {"use_sliding_window": draw.random() < 0.5, "sliding_window": window, "max_window_layers": draw.randint(0, LAYERS), "rope_parameters": rope("yarn", "linear")},
        "Qwen3": lambda: {**odd, **bias, "use_sliding_window": draw.random() < 0.5, "sliding_window": window, "max_window_layers": 2, "rope_parameters": rope("yarn")},
        "Phi3": lambda: {"sliding_window": draw.choice([None, window]), "rope_parameters": {**rope(), "partial_rotary_factor": draw.choice([0.5, 1.0])}},
        "Olmo2": lambda: {**bias, "rope_parameters": rope("linear")},
        "SmolLM3": lambda: {**bias, "no_rope_layer_interval": draw.choice([2, 4]), "use_sliding_window": draw.random() < 0.5, "sliding_window": window, "rope_parameters": rope("yarn")},
        "Gemma2": lambda: {**odd, **bias, "query_pre_attn_scalar": draw.choice([8, 24]), "sliding_window": window, "attn_logit_softcapping": draw.choice([None, 3.0]), "final_logit_softcapping": draw.choice([None, 6.0])},
        "Gemma3Text": lambda: {**odd, "query_pre_attn_scalar": 20, "sliding_window": window, "layer_types": [draw.choice(["sliding_attention", "full_attention"]) for _ in range(LAYERS)]},
    }[family]()
    return getattr(tf, f"{family}Config")(**shared, **own), {k: v for k, v in own.items() if k != "layer_types"}


def adapter(model):
    name = type(model).__name__
    targets = draw.choice(["all-linear", ["o_proj", "down_proj"], r".*\.[13]\..*(o|down)_proj", ["embed_tokens", "o_proj"]])
    dora = targets != ["embed_tokens", "o_proj"] and draw.random() < 0.4
    settings = dict(r=draw.choice([2, 5]), lora_alpha=draw.choice([3, 16]), target_modules=targets, use_rslora=draw.random() < 0.5, use_dora=dora,
                    rank_pattern={"o_proj": 3}, alpha_pattern={r"layers\.3\..*": 7}, modules_to_save=draw.choice([None, ["norm"], ["lm_head"]]))
    if name.startswith("Qwen2"): settings["bias"] = draw.choice(["none", "all", "lora_only"])
    adapted = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **settings))
    with torch.no_grad():
        for key, weight in adapted.named_parameters():
            if weight.requires_grad: weight.copy_(torch.randn_like(weight) * 0.25 if "lora_" in key and "magnitude" not in key else weight * (1 + torch.randn_like(weight) * 0.1))
    return adapted, settings


def sae(layer):
    kind, extra = draw.choice([("Standard", {}), ("TopK", {"k": 7}), ("JumpReLU", {}), ("Gated", {})])
    extra = {**extra, "apply_b_dec_to_input": draw.random() < 0.5, "normalize_activations": draw.choice(["none", "layer_norm", "constant_norm_rescale", "expected_average_only_in"])}
    settings = getattr(sae_lens, f"{kind}SAEConfig")(d_in=WIDTH, d_sae=LATENTS, dtype="float32", device="cpu", **extra)
    settings.metadata.hook_name = draw.choice([f"blocks.{layer}.hook_resid_post", f"blocks.{layer + 1}.hook_resid_pre"])
    made = getattr(sae_lens, f"{kind}SAE")(settings)
    with torch.no_grad():
        for key, weight in made.named_parameters(): weight.copy_(torch.rand_like(weight) if key == "threshold" else torch.randn_like(weight) * 0.3)
    return made, {"kind": kind, **extra}


def cli(*args):
    r = subprocess.run(["node", f"{root}/bin/antecedent.js", *map(str, args), "--json"], capture_output=True, text=True)
    assert r.returncode == 0, r.stderr[-300:]
    return json.loads(r.stdout)


def check(name, ok, detail=""):
    global failed; failed += not ok
    print("ok  " if ok else "FAIL", name, detail, flush=True)


def near(ours, theirs, tolerance=2e-4):
    a, b = torch.as_tensor(ours, dtype=torch.float64), torch.as_tensor(theirs, dtype=torch.float64)
    return a.shape == b.shape and bool((a - b).abs().max() <= tolerance * max(1, b.abs().max()))


def tokens_of(tok, messages):
    """The prompt's tokens, and which of them are user content: found by placeholders, whose neighbours are the content's."""
    render = lambda contents: tok.apply_chat_template([{"role": r, "content": c} for (r, _), c in zip(messages, contents)], add_generation_prompt=True, tokenize=False)
    text, contents, spans = render([c for _, c in messages]), [c for _, c in messages], []
    for i, (role, content) in enumerate(messages):
        if role != "user": continue
        before, after = render([*contents[:i], "PLACE", *contents[i + 1 :]]).split("PLACE")
        spans.append((len(before), len(text) - len(after)))
    e = tok(text, add_special_tokens=False, return_offsets_mapping=True)
    return e.input_ids, [any(a >= i and b <= j and b > a for i, j in spans) for a, b in e.offset_mapping]


class Theirs:
    def __init__(self, model, tok, layer):
        self.model, self.tok = model.eval(), tok
        inner = model.base_model.model if isinstance(model, PeftModel) else model
        self.block = inner.model.layers[layer]
        self.prompts = [tokens_of(tok, m) for m in MESSAGES]
        self.action = tok(ACTION, add_special_tokens=False).input_ids

    def logprobs(self, ids, change=None):
        """Of the action's tokens after a prompt; `change` is added to the layer's output, which is kept."""
        def hook(_, __, out):
            h = out[0] if isinstance(out, tuple) else out
            self.hidden = h
            h = h if change is None else h + change
            return (h, *out[1:]) if isinstance(out, tuple) else h
        handle = self.block.register_forward_hook(hook)
        lp = self.model(torch.tensor([ids + self.action]), use_cache=False).logits[0].float().log_softmax(-1)[len(ids) - 1 : -1]
        handle.remove()
        return lp[range(len(self.action)), torch.tensor(self.action)]

    def gradient(self):
        means = []
        for ids, user in self.prompts:
            change = torch.zeros(1, len(ids) + len(self.action), WIDTH, requires_grad=True)
            (-self.logprobs(ids, change).mean()).backward()
            means.append(change.grad[0][: len(ids)][torch.tensor(user)].mean(0))
        return torch.stack(means).mean(0)


for i, family in enumerate(["Llama", "Mistral", "Qwen2", "Qwen3", "Phi3", "Olmo2", "SmolLM3", "Gemma2", "Gemma3Text"]):
    with tempfile.TemporaryDirectory() as tmp:
        torch.manual_seed(seed * 100 + i); layer = draw.randint(0, LAYERS - 2)
        settings, about = config(family); tok, dtype = tokenizer(), draw.choice([torch.float32, torch.bfloat16, torch.float16])
        model = tf.AutoModelForCausalLM.from_config(settings).float()
        with torch.no_grad():
            for name, weight in model.named_parameters(): weight.add_(torch.randn_like(weight) * 0.2) if weight.ndim == 1 else weight.mul_(2)
        model.to(dtype).save_pretrained(f"{tmp}/model", max_shard_size=draw.choice(["60KB", "1GB"])); tok.save_pretrained(f"{tmp}/model")
        tok = tf.AutoTokenizer.from_pretrained(f"{tmp}/model")  # of qwen2 it makes another
        load = lambda: tf.AutoModelForCausalLM.from_pretrained(f"{tmp}/model", dtype=torch.float32, attn_implementation="eager")
        open(f"{tmp}/prompts.jsonl", "w").write("".join(json.dumps({"messages": [{"role": r, "content": c} for r, c in m]}) + "\n" for m in MESSAGES))
        given = ["--model", f"{tmp}/model", "--prompts", f"{tmp}/prompts.jsonl"]

        adapted, lora = adapter(load()); adapted.save_pretrained(f"{tmp}/adapter")
        theirs = Theirs(PeftModel.from_pretrained(load(), f"{tmp}/adapter"), tok, layer)
        direction = torch.randn(WIDTH) * 0.5; save_file({"direction": direction}, f"{tmp}/direction.safetensors")
        with torch.no_grad(): want = [theirs.logprobs(ids, torch.tensor([*user, *[False] * len(theirs.action)]).float()[None, :, None] * direction) for ids, user in theirs.prompts]
        rows = cli("score", *given, "--adapter", f"{tmp}/adapter", "--action", ACTION, "--steer", f"{tmp}/direction.safetensors", "--layer", layer)["rows"]
        check(f"{family}: steered score with an adapter", all(near(r["tokenLogprobs"], w) for r, w in zip(rows, want)), f"{about} {lora}")

        theirs = Theirs(load(), tok, layer); ours = cli("generate", *given, "--max-tokens", 10)["rows"]
        said = [theirs.model.generate(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long), max_new_tokens=10, do_sample=False, pad_token_id=2)[0, len(ids) :].tolist() for ids, _ in theirs.prompts]
        check(f"{family}: replies", [[t for t in r["tokens"] if t] for r in ours] == [[t for t in s if t] for s in said])

        made, kind = sae(layer); made.save_model(f"{tmp}/sae"); made = sae_lens.SAE.load_from_disk(f"{tmp}/sae")
        wrong = total = 0
        for (ids, user), row in zip(theirs.prompts, cli("encode", *given, "--sae", f"{tmp}/sae")["rows"]):
            with torch.no_grad(): theirs.logprobs(ids); z = made.encode(theirs.hidden[0, : len(ids)]) * torch.tensor(user)[:, None]
            got = torch.zeros_like(z)
            for latent in row["latents"]: got[latent["token"], latent["id"]] = latent["value"]
            wrong += ((got - z).abs() > 1e-3 * z.abs().max()).sum().item(); total += (z > 0).sum().item()
        check(f"{family}: latents", total > 0 and wrong <= total / 500, f"{total}, {wrong} differ, {kind}")

        v = theirs.gradient(); scores = -(made.W_dec @ v).detach()
        latents = cli("find", "sae-attribution", *given, "--sae", f"{tmp}/sae", "--action", ACTION, "--top", 8, "--no-controls", "--samples", 0, "--save", f"{tmp}/v.safetensors")["vectors"][0]["latents"]
        found = load_file(f"{tmp}/v.safetensors")["directions"][0]
        check(f"{family}: attribution", bool((found - v).norm() <= 1e-3 * v.norm()) and near([l["score"] for l in latents], scores.topk(8).values, 1e-3))
sys.exit(failed > 0)
