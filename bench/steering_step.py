"""The peer of `antecedent bench speed`: one steering step (loss and gradient over all prompts) with transformers, a forward
hook and autograd, fp32. Reads a JSON job on stdin: {"model","adapter","layer","threads","steps","sequences":[{"prompt","mask",
"action"}]}; prints {"seconds":[…],"loss","gradient"}. Sequences are padded into one batch, as people do it."""
import json, sys, time, warnings
warnings.filterwarnings("ignore")
import torch
from transformers import AutoModelForCausalLM

job = json.load(sys.stdin)
torch.set_num_threads(job["threads"])
model = AutoModelForCausalLM.from_pretrained(job["model"], dtype=torch.float32).eval()
if job.get("adapter"):
    from peft import PeftModel
    model = PeftModel.from_pretrained(model, job["adapter"]).merge_and_unload()
for p in model.parameters(): p.requires_grad_(False)
seqs = job["sequences"]; width = max(len(s["prompt"]) + len(s["action"]) for s in seqs)
ids = torch.zeros(len(seqs), width, dtype=torch.long); attend = torch.zeros_like(ids); steer = torch.zeros(len(seqs), width, 1)
for i, s in enumerate(seqs):
    whole = s["prompt"] + s["action"]
    ids[i, : len(whole)] = torch.tensor(whole); attend[i, : len(whole)] = 1; steer[i, : len(s["mask"]), 0] = torch.tensor(s["mask"]).float()
theta = torch.zeros(model.config.hidden_size, requires_grad=True)
def hook(_m, _i, out): return (out[0] + steer * theta,) + out[1:] if isinstance(out, tuple) else out + steer * theta
model.model.layers[job["layer"]].register_forward_hook(hook)

def step():
    logp = model(input_ids=ids, attention_mask=attend, use_cache=False).logits.log_softmax(-1)
    parts = []
    for i, s in enumerate(seqs):
        n, a = len(s["prompt"]), torch.tensor(s["action"])
        parts.append(-logp[i, n - 1 : n - 1 + len(a)][range(len(a)), a].mean())
    loss = torch.stack(parts).mean(); theta.grad = None; loss.backward()
    return loss.item()

step(); seconds = []
for _ in range(job["steps"]):
    start = time.perf_counter(); loss = step(); seconds.append(time.perf_counter() - start)
print(json.dumps({"seconds": seconds, "loss": loss, "gradient": theta.grad.tolist()}))
