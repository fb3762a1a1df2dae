"""MELBO in PyTorch on the tiny llama checkpoint of decoder.py: losses and gradients of the layer's change, a Jacobian product,
and the iterates of the published loop (Mack & Turner 2024), from its description and not from its code.
usage: python test/goldens/melbo.py   (torch, transformers; writes test/goldens/decoder/llama/melbo.json)"""
import json, os, torch
import transformers as tf

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "decoder", "llama")
SOURCE, D = 1, 32
# The middle one has tokens before, between and after its masked ones.
SEQUENCES = [([3, 17, 42, 8, 91, 5], [0, 0, 1, 1, 0, 0]), ([3, 60, 61, 62, 63, 64, 65, 66, 5], [0, 1, 1, 1, 0, 1, 1, 0, 0]), ([9, 1], [1, 0])]
model = tf.AutoModelForCausalLM.from_pretrained(here, dtype=torch.float32, attn_implementation="eager").eval()
for p in model.parameters(): p.requires_grad_(False)
torch.manual_seed(3)

def stream(ids, positions, theta, target):
    """Residual stream after block `target`, [tokens, D], with theta added after block SOURCE at the positions."""
    where = torch.tensor(positions).float()[None, :, None]
    hook = model.model.layers[SOURCE].register_forward_hook(
        lambda _m, _i, out: (out[0] + where * theta,) + out[1:] if isinstance(out, tuple) else out + where * theta)
    kept = []
    keep = model.model.layers[target].register_forward_hook(lambda _m, _i, out: kept.append(out[0] if isinstance(out, tuple) else out))
    model(torch.tensor([ids]), use_cache=False); hook.remove(); keep.remove()
    return kept[0][0]

def change(ids, mask, theta, target):
    delta = stream(ids, mask, theta, target) - stream(ids, mask, torch.zeros(D), target)
    return delta[torch.tensor(mask).bool()]

def objective(sequences, theta, target, p, q, norm):
    """- sum over prompts of (sum of norm^p)^(1/q); norms of tokens (rows), or of hidden units over the tokens (dim 0)."""
    return -sum((change(ids, mask, theta, target).norm(dim=1 if norm == "token" else 0) ** p).sum() ** (1 / q) for ids, mask in sequences)

out = {"layer": SOURCE, "sequences": [{"prompt": p, "mask": m} for p, m in SEQUENCES], "measures": []}
theta = torch.randn(D) * 0.7
out["theta"] = theta.tolist()
for target, p, q, norm in [(3, 2, 1, "token"), (2, 2, 1, "unit"), (3, 1.5, 2, "token"), (3, 4, 4, "token"), (3, 4, 4, "unit"), (2, 1, 1, "token")]:
    t = theta.clone().requires_grad_()
    loss = objective(SEQUENCES, t, target, p, q, norm); loss.backward()
    out["measures"].append({"targetLayer": target, "p": p, "q": q, "norm": norm, "loss": loss.item(), "gradient": t.grad.tolist()})

stacked = lambda t: torch.cat([change(ids, mask, t, 3) for ids, mask in SEQUENCES])
direction = torch.randn(D); direction /= direction.norm()
out["change"] = stacked(theta).flatten().tolist()
out["direction"] = direction.tolist()
out["jacobianProduct"] = torch.autograd.functional.jvp(stacked, torch.zeros(D), direction)[1].flatten().tolist()

# The published loop: every token steered and measured; AdamW with amsgrad; a new optimiser for each vector.
R, STEPS, VECTORS, P, Q, TARGET = 4.0, 6, 3, 2, 1, 3
every = [(ids, [1] * len(ids)) for ids, _ in SEQUENCES]
found = torch.zeros(VECTORS, D)
published = {"radius": R, "p": P, "q": Q, "targetLayer": TARGET, "vectors": []}
for i in range(VECTORS):
    U = found.t() / R  # [D, VECTORS]; columns of vectors not yet found are zero
    start = torch.randn(D)
    published["vectors"].append({"random": start.tolist(), "iterates": [], "losses": []})
    bias = start - U @ (U.t() @ start)
    bias = (bias / bias.norm() * R).requires_grad_()
    optimiser = torch.optim.AdamW([bias], lr=1e-3, betas=(0.9, 0.98), weight_decay=0.0, amsgrad=True)
    for _ in range(STEPS):
        optimiser.zero_grad()
        loss = 0.0
        for ids, mask in every:  # one prompt at a time, gradients add up
            part = objective([(ids, mask)], bias, TARGET, P, Q, "unit"); part.backward(); loss += part.item()
        with torch.no_grad():
            bias.grad -= U @ (U.t() @ bias.grad)
            bias.grad -= bias * (bias @ bias.grad) / R**2
            optimiser.step()
            bias -= U @ (U.t() @ bias)
            bias *= R / bias.norm()
        published["vectors"][-1]["losses"].append(loss)
        published["vectors"][-1]["iterates"].append(bias.detach().tolist())
    found[i] = bias.detach()
out["published"] = published

short = lambda x: [short(y) for y in x] if isinstance(x, list) else {k: short(v) for k, v in x.items()} if isinstance(x, dict) else float(f"{x:.7g}") if isinstance(x, float) else x
json.dump(short(out), open(f"{here}/melbo.json", "w"))
print({(m["targetLayer"], m["p"], m["q"], m["norm"]): round(m["loss"], 3) for m in out["measures"]}, [v["losses"][-1] for v in published["vectors"]])
