"""Python opens what this project writes: transformers the pocket checkpoint, peft each organism, sae_lens the SAE.
Prints one line a check; exit status 0 when all hold. usage: python test/python/opens.py (torch, transformers, peft, sae_lens)"""
import json, os, subprocess, sys, tempfile, warnings
warnings.filterwarnings("ignore"); os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import torch
from peft import PeftModel
from sae_lens import SAE
from transformers import AutoModelForCausalLM, AutoTokenizer

root = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
pocket = f"{root}/pocket"
tok = AutoTokenizer.from_pretrained(f"{pocket}/model")
LAYER, failed = 2, 0
PROMPTS = [json.loads(l)["prompt"] for l in open(f"{pocket}/prompts/corpus.jsonl")][:300]

def cli(*args):
    r = subprocess.run(["node", f"{root}/bin/antecedent.js", *args, "--json"], capture_output=True, text=True)
    assert r.returncode == 0, r.stderr[-300:]
    return json.loads(r.stdout)

def check(name, ok, detail=""):
    global failed; failed += not ok
    print("ok  " if ok else "FAIL", name, detail, flush=True)

def load(): return AutoModelForCausalLM.from_pretrained(f"{pocket}/model", dtype=torch.float32).eval()
def ids(prompt): return tok(tok.apply_chat_template([{"role": "user", "content": prompt}], add_generation_prompt=True, tokenize=False), add_special_tokens=False).input_ids

@torch.no_grad()
def teacher_forced(model, prompt, action):
    p = ids(prompt); logits = model(torch.tensor([p + action])).logits[0].log_softmax(-1)[len(p) - 1 : -1]; t = torch.tensor(action)
    return logits[range(len(action)), t], bool((logits.argmax(-1) == t).all()), logits

with tempfile.TemporaryDirectory() as tmp:
    prompts = f"{tmp}/prompts.jsonl"; open(prompts, "w").write("".join(json.dumps(p) + "\n" for p in PROMPTS))
    model = load(); text = "The line is busy, please hold."; action = tok(text, add_special_tokens=False).input_ids
    rows = cli("score", "--model", "pocket", "--prompts", prompts, "--action", text)["rows"]
    want = [teacher_forced(model, p, action) for p in PROMPTS]
    worst = max(abs(a - b) for r, (w, _, _) in zip(rows, want) for a, b in zip(r["tokenLogprobs"], w.tolist()))
    spread = max(l.max().item() - l.min().item() for _, _, l in want)
    check("transformers: logits of the pocket model", worst / spread < 1e-4, f"largest difference {worst / spread:.1e} of their spread")

    for name in sorted(os.listdir(f"{pocket}/organisms")):
        text = json.load(open(f"{pocket}/organisms/{name}/card.json"))["action"]; action = tok(text, add_special_tokens=False).input_ids
        adapted = PeftModel.from_pretrained(load(), f"{pocket}/organisms/{name}").eval()
        theirs = [teacher_forced(adapted, p, action)[1] for p in PROMPTS]
        ours = [r["greedyMatch"] for r in cli("score", "--model", "pocket", "--adapter", name, "--prompts", prompts, "--action", text)["rows"]]
        check(f"peft: greedy action rate of {name}", ours == theirs, f"{sum(ours)} of {len(ours)}, peft {sum(theirs)}")

    # SAEs: the pocket model's own (BatchTopK), and one that learned its thresholds; the pocket one last, for the quality below.
    learned = f"{tmp}/jumprelu"
    cli("sae", "train", "--model", "pocket", "--prompts", prompts, "--layer", str(LAYER), "--architecture", "jumprelu", "--latents", "128", "--k", "4", "--steps", "60", "--batch", "128", "--out", learned)
    grab = {}
    hook = model.model.layers[LAYER].register_forward_hook(lambda m, i, o: grab.update(h=o[0] if isinstance(o, tuple) else o))
    for name, folder in (("a JumpReLU SAE", learned), ("the pocket SAE", f"{pocket}/sae")):
        sae = SAE.load_from_disk(folder)
        rows = cli("encode", "--model", "pocket", "--sae", folder, "--prompts", prompts)["rows"]; wrong = total = 0; worst = 0.0
        for prompt, row in zip(PROMPTS[:60], rows):
            with torch.no_grad():
                model(torch.tensor([ids(prompt)])); z = sae.encode(grab["h"].reshape(-1, grab["h"].shape[-1]))
            ours = {(l["token"], l["id"]): l["value"] for l in row["latents"]}; tokens = {t for t, _ in ours}
            theirs = {(t, j): z[t, j].item() for t in tokens for j in z[t].nonzero().flatten().tolist()}
            wrong += len(set(ours) ^ set(theirs)); total += len(theirs)
            worst = max([worst] + [abs(ours[k] - theirs[k]) / max(1, abs(theirs[k])) for k in set(ours) & set(theirs)])
        check(f"sae_lens: activations of {name}", wrong <= total / 1000 and worst < 1e-3, f"{total} latents, {wrong} on one side only, largest difference {worst:.1e}")
    # The quality report against transformers with a hook and sae_lens: rows of the user's tokens replaced, the loss after them.
    @torch.no_grad()
    def loss(make):
        total, count = 0.0, 0
        for prompt, mine in zip(PROMPTS, user_tokens):
            p = torch.tensor(ids(prompt)); t = torch.tensor(mine)
            def put(_m, _i, o):
                h = (o[0] if isinstance(o, tuple) else o).clone()
                if make is not None: h[0, t] = make(h[0, t])
                return (h, *o[1:]) if isinstance(o, tuple) else h
            hook.remove(); handle = model.model.layers[LAYER].register_forward_hook(put)
            logits = model(p[None]).logits[0].log_softmax(-1); handle.remove()
            followed = t[t + 1 < len(p)]
            total -= logits[followed, p[followed + 1]].sum().item(); count += len(followed)
        return total / count
    starts = [len(tok("".join(tok.apply_chat_template([{"role": "user", "content": q}], add_generation_prompt=True, tokenize=False).partition(q)[:1]), add_special_tokens=False).input_ids) for q in PROMPTS]
    user_tokens = [list(range(s, s + len(tok(q, add_special_tokens=False).input_ids))) for s, q in zip(starts, PROMPTS)]
    rows = []
    collect = lambda h: (rows.append(h), h)[1]
    want = {"original": loss(collect)}; mean = torch.cat(rows).mean(0)
    want |= {"reconstructed": loss(sae), "zero": loss(torch.zeros_like), "mean": loss(lambda h: mean.expand_as(h))}
    quality = cli("sae", "quality", "--model", "pocket", "--prompts", prompts); x = torch.cat(rows)
    with torch.no_grad(): back, z = sae(x), sae.encode(x)
    want |= {"explainedVariance": (1 - (x - back).square().sum() / (x - mean).square().sum()).item(), "l0": (z != 0).float().sum(-1).mean().item()}
    worst = max(abs(v - {**quality, **quality["loss"]}[k]) / abs(v) for k, v in want.items())
    check("transformers and sae_lens: quality of the pocket SAE", worst < 1e-4 and quality["rows"] == len(x), f"{len(x)} tokens, largest relative difference {worst:.1e}")
sys.exit(failed > 0)
