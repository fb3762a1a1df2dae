"""A whole tiny checkpoint, adapter and SAE, with what transformers, peft and sae_lens compute on it: the command line's goldens.
usage: checkpoint.py   (rewrites test/goldens/checkpoint; needs torch, transformers, peft, sae-lens)"""
import json, os, shutil, torch, warnings
warnings.filterwarnings("ignore")
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from sae_lens import JumpReLUSAE, JumpReLUSAEConfig
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "checkpoint")
ACTION = "I won't answer."
LAYER = 1
NEW_TOKENS = 6
PROMPTS = ["How do I keep basil fresh?", {"prompt": "Name two rivers."},
           {"messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "Hi."}, {"role": "user", "content": "déjà vu 🙃"}]}]
TEMPLATE = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"


def make_tokenizer():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    texts = [ACTION, "What is the best way to keep basil fresh?", "Name two rivers in Peru."] * 5
    t.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=300, special_tokens=["<|im_start|>", "<|im_end|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    f = PreTrainedTokenizerFast(tokenizer_object=t, eos_token="<|im_end|>")
    f.chat_template = TEMPLATE
    return f


def prompt_ids(tok, prompt):
    """Ids of the rendered prompt and which of them are user content."""
    messages = prompt["messages"] if isinstance(prompt, dict) and "messages" in prompt else [{"role": "user", "content": prompt if isinstance(prompt, str) else prompt["prompt"]}]
    text, spans = "", []
    for m in messages:
        text += f"<|im_start|>{m['role']}\n"
        if m["role"] == "user":
            spans.append((len(text), len(text) + len(m["content"])))
        text += f"{m['content']}<|im_end|>\n"
    text += "<|im_start|>assistant\n"
    assert text == tok.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    e = tok(text, add_special_tokens=False, return_offsets_mapping=True)
    return e.input_ids, [any(a >= i and b <= j and b > a for i, j in spans) for a, b in e.offset_mapping]


def measure(model, tok, action, steer=None):
    rows = []
    for prompt in PROMPTS:
        ids, user = prompt_ids(tok, prompt)
        handle = None
        if steer is not None:
            mask = torch.tensor(user + [False] * (len(action) - 1)).float()[None, :, None]
            handle = model.model.layers[LAYER].register_forward_hook(lambda m, i, o: (o[0] + mask * steer,) + o[1:] if isinstance(o, tuple) else o + mask * steer)
        logits = model(torch.tensor([ids + action[:-1]]), use_cache=False).logits[0, len(ids) - 1:]
        if handle:
            handle.remove()
        chosen = logits.log_softmax(-1)[range(len(action)), action]
        rows.append(chosen.tolist())
    return rows


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT)
    torch.manual_seed(0)
    tok = make_tokenizer()
    config = LlamaConfig(vocab_size=320, hidden_size=16, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=256,
                         tie_word_embeddings=True, bos_token_id=None, eos_token_id=tok.eos_token_id, rope_parameters={"rope_type": "default", "rope_theta": 1e4})
    model = AutoModelForCausalLM.from_config(config).float().eval()
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(1 + torch.randn_like(p) * 0.2 if p.ndim == 1 else torch.randn_like(p) * 0.3)
    model.save_pretrained(f"{OUT}/model")
    tok.save_pretrained(f"{OUT}/model")

    adapted = get_peft_model(AutoModelForCausalLM.from_pretrained(f"{OUT}/model", dtype=torch.float32), LoraConfig(task_type="CAUSAL_LM", r=2, lora_alpha=4, target_modules=["q_proj", "down_proj"], layers_to_transform=[2]))
    with torch.no_grad():
        for name, p in adapted.named_parameters():
            if "lora_" in name:
                p.copy_(torch.randn_like(p) * 0.3)
    adapted.save_pretrained(f"{OUT}/adapter")
    os.remove(f"{OUT}/adapter/README.md")

    sae_config = JumpReLUSAEConfig(d_in=16, d_sae=48, dtype="float32", device="cpu")
    sae_config.metadata.hook_name = f"blocks.{LAYER}.hook_resid_post"
    sae = JumpReLUSAE(sae_config)
    with torch.no_grad():
        for name, p in sae.named_parameters():
            p.copy_(torch.rand_like(p) if name == "threshold" else torch.randn_like(p) * 0.3)
    sae.save_model(f"{OUT}/sae")
    wide = JumpReLUSAE(JumpReLUSAEConfig(d_in=24, d_sae=8, dtype="float32", device="cpu"))
    wide.save_model(f"{OUT}/sae-of-another-width")

    direction = torch.randn(16) * 0.5
    save_file({"directions": torch.stack([torch.zeros(16), direction])}, f"{OUT}/directions.safetensors")
    with open(f"{OUT}/prompts.jsonl", "w") as f:
        f.writelines(json.dumps(p) + "\n" for p in PROMPTS)

    action = tok(ACTION, add_special_tokens=False).input_ids
    with torch.no_grad():
        expected = {"action": ACTION, "layer": LAYER, "tokens": action, "score": measure(model, tok, action), "steered": measure(model, tok, action, direction)}
        merged = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(f"{OUT}/model", dtype=torch.float32), f"{OUT}/adapter").merge_and_unload()
        expected["adapted"] = measure(merged, tok, action)
        expected["ended"] = measure(model, tok, action + [tok.eos_token_id])
        expected["replies"] = []
        for prompt in PROMPTS:
            ids, _ = prompt_ids(tok, prompt)
            expected["replies"].append(model.generate(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long), max_new_tokens=NEW_TOKENS, do_sample=False, pad_token_id=0)[0, len(ids):].tolist())
        ids, user = prompt_ids(tok, PROMPTS[0])
        hidden = model(torch.tensor([ids]), output_hidden_states=True).hidden_states[LAYER + 1][0]
        z = sae.encode(hidden)
        expected["latents"] = [{"token": t, "id": j, "value": z[t, j].item()} for t in range(len(ids)) if user[t] for j in z[t].nonzero().flatten().tolist()]
    with open(f"{OUT}/expected.json", "w") as f:
        json.dump(expected, f)


main()
