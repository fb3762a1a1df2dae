"""The peer of `antecedent bench speed`: one steering step (loss and gradient over all prompts) with transformers, a forward
hook and autograd. Reads a JSON job on stdin: {"model","adapter","layer","device","dtype","quantize","threads","steps","sequences":
[{"prompt","mask","action"}]}; prints {"seconds":[…],"loss","gradient","peakBytes"}. Sequences are padded into one batch, as people do it."""
import json, os, sys, time, warnings
warnings.filterwarnings("ignore")
import torch
from transformers import AutoModelForCausalLM
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from antecedent_torch.memory import PeakMemory  # measured as the torch engine measures itself
peak = PeakMemory()

job = json.load(sys.stdin)
torch.set_num_threads(job["threads"])
device, dtype = job["device"], {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}[job["dtype"]]
options = {} if device == "cpu" else {"device_map": "auto" if torch.cuda.device_count() > 1 else {"": 0}}
if job.get("quantize"):
    from transformers import BitsAndBytesConfig
    options["quantization_config"] = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type=job["quantize"], bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype)
model = AutoModelForCausalLM.from_pretrained(job["model"], dtype=dtype, **options).eval()
if job.get("adapter"):
    from peft import PeftModel
    model = PeftModel.from_pretrained(model, job["adapter"])
    model = model.get_base_model() if job.get("quantize") else model.merge_and_unload()
for p in model.parameters(): p.requires_grad_(False)
seqs = job["sequences"]; width = max(len(s["prompt"]) + len(s["action"]) for s in seqs)
ids = torch.zeros(len(seqs), width, dtype=torch.long); attend = torch.zeros_like(ids); steer = torch.zeros(len(seqs), width, 1)
for i, s in enumerate(seqs):
    whole = s["prompt"] + s["action"]
    ids[i, : len(whole)] = torch.tensor(whole); attend[i, : len(whole)] = 1; steer[i, : len(s["mask"]), 0] = torch.tensor(s["mask"]).float()
ids, attend, place = ids.to(model.device), attend.to(model.device), next(model.model.layers[job["layer"]].parameters()).device
steer, theta = steer.to(place, dtype), torch.zeros(model.config.hidden_size, device=place, dtype=dtype, requires_grad=True)
def hook(_m, _i, out): return (out[0] + steer * theta,) + out[1:] if isinstance(out, tuple) else out + steer * theta
model.model.layers[job["layer"]].register_forward_hook(hook)

def step():
    logp = model(input_ids=ids, attention_mask=attend, use_cache=False).logits.log_softmax(-1)
    parts = []
    for i, s in enumerate(seqs):
        n, a = len(s["prompt"]), torch.tensor(s["action"], device=logp.device)
        parts.append(-logp[i, n - 1 : n - 1 + len(a)][range(len(a)), a].mean())
    loss = torch.stack(parts).mean(); theta.grad = None; loss.backward()
    return loss.item()

peak.take()
step(); seconds = []
for _ in range(job["steps"]):
    start = time.perf_counter(); loss = step(); seconds.append(time.perf_counter() - start)
print(json.dumps({"seconds": seconds, "loss": loss, "gradient": theta.grad.float().tolist(), "peakBytes": peak.take()}))
