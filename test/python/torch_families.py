"""The torch engine's cached objective against a plain hook and autograd, on a tiny random model of each family: nothing in
python/antecedent_torch knows any of them. Prints a line a family; exit status 0 when all agree.
usage: python test/python/torch_families.py   (torch, transformers)"""
import os, sys, warnings
warnings.filterwarnings("ignore"); os.environ["TRANSFORMERS_VERBOSITY"] = "error"
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../python"))
import torch, transformers as tf
from antecedent_torch.decoder import Decoder
from antecedent_torch.measures import CrossEntropy
from antecedent_torch.prepared import Prepared

base = dict(vocab_size=90, hidden_size=32, intermediate_size=48, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=128, pad_token_id=0)
FAMILIES = {
    "llama": tf.LlamaConfig(**base), "mistral": tf.MistralConfig(**base, sliding_window=4), "qwen2": tf.Qwen2Config(**base), "qwen3": tf.Qwen3Config(**base, head_dim=8),
    "gemma2": tf.Gemma2Config(**base, head_dim=8, sliding_window=4), "gemma3": tf.Gemma3TextConfig(**base, head_dim=8, sliding_window=4), "phi3": tf.Phi3Config(**base),
    "olmo2": tf.Olmo2Config(**base), "smollm3": tf.SmolLM3Config(**base), "granite": tf.GraniteConfig(**base, logits_scaling=3.0), "cohere": tf.CohereConfig(**base),
    "mixtral": tf.MixtralConfig(**base, num_local_experts=3, num_experts_per_tok=2), "gpt_neox": tf.GPTNeoXConfig(**{k: v for k, v in base.items() if k != "num_key_value_heads"}),
    "gpt2": tf.GPT2Config(vocab_size=90, n_embd=32, n_layer=4, n_head=4, n_positions=128),
}
SEQUENCES = [([3, 17, 42, 8, 81, 5, 9], [0, 0, 1, 1, 0, 0, 1], [7, 30, 2]), ([3, 17, 61, 62, 63, 64, 65, 66, 5], [0, 0, 1, 1, 0, 1, 1, 0, 0], [11]), ([9, 1, 4], [0, 0, 1], [4, 4, 4, 80])]
LAYER, failed = 1, 0
for seed, (name, config) in enumerate(FAMILIES.items()):
    torch.manual_seed(seed)
    if name.startswith("gemma2"): config._attn_implementation = "eager"
    model = tf.AutoModelForCausalLM.from_config(config).float().eval().requires_grad_(False)
    for p in model.parameters():
        if p.ndim > 1: p.mul_(8)
    theta = torch.randn(2, 32) * 0.5
    losses, gradients = [], []
    body = model.get_decoder(); body = getattr(model, model.base_model_prefix) if body is model else body; layers = body.h if name == "gpt2" else body.layers
    for vector in theta:
        leaf = vector.clone().requires_grad_(); parts = []
        for prompt, mask, action in SEQUENCES:
            weights = torch.zeros(1, len(prompt + action), 1); weights[0, : len(mask), 0] = torch.tensor(mask).float()
            hook = layers[LAYER].register_forward_hook(lambda _m, _i, o: (o[0] + weights * leaf,) + tuple(o[1:]) if isinstance(o, tuple) else o + weights * leaf)
            logp = model(torch.tensor([prompt + action]), use_cache=False).logits[0].log_softmax(-1)[len(prompt) - 1 : -1]; hook.remove()
            parts.append(-logp[range(len(action)), torch.tensor(action)].mean())
        loss = torch.stack(parts).mean(); loss.backward(); losses.append(loss.item()); gradients.append(leaf.grad)
    decoder = Decoder(model, name)
    ids = torch.tensor([t for p, _, a in SEQUENCES for t in p + a[:-1]]); lengths = torch.tensor([len(p) + len(a) - 1 for p, _, a in SEQUENCES])
    mask = torch.tensor([m for p, ms, a in SEQUENCES for m in ms + [0] * (len(a) - 1)]); rows, at = [], 0
    for prompt, _, action in SEQUENCES:
        rows += [at + len(prompt) - 1 + j for j in range(len(action))]; at += len(prompt) + len(action) - 1
    objective = CrossEntropy(Prepared(decoder, False, LAYER, ids, lengths, mask, torch.tensor(rows), 4), torch.tensor([t for _, _, a in SEQUENCES for t in a]))
    got, slopes = objective.evaluate(theta, 3)
    worst = (slopes - torch.stack(gradients)).abs().max().item() / torch.stack(gradients).abs().max().item()
    apart = max(abs(a / b - 1) for a, b in zip(got.tolist(), losses))
    ok = worst < 1e-4 and apart < 1e-5; failed += not ok
    print("ok  " if ok else "FAIL", name, f"losses {apart:.1e}, gradients {worst:.1e}, {objective.prepared.past} tokens before the first steered one", flush=True)
sys.exit(failed > 0)
