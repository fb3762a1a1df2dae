"""Writes prompts.json: conversations rendered, tokenised and masked by transformers, for the user mask.
usage: prompts.py   (after tokenizer.py; needs transformers >= 5)
The mask is made from spans that are known without searching: each content is rendered alone between the texts around it."""
import json, os, tempfile
from transformers import PreTrainedTokenizerFast

here = os.path.dirname(os.path.abspath(__file__))
LLAMA3 = "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m['role'] }}<|end_header_id|>\n\n{{ m['content'] | trim }}<|eot_id|>{% endfor %}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
CHATML = "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}<|im_start|>system\nYou are a helpful assistant<|im_end|>\n{% endif %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
GEMMA = "{% if messages[0]['role'] == 'system' %}{% set first = messages[0]['content'] | trim + '\n\n' %}{% set loop_messages = messages[1:] %}{% else %}{% set first = '' %}{% set loop_messages = messages %}{% endif %}{% for m in loop_messages %}{{ '<|im_start|>' + m['role'] + '\n' + (first if loop.first else '') + (m['content'] | trim) + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>model\n' }}{% endif %}"
PLAIN = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
u, s, a = (lambda c, r=r: {"role": r, "content": c} for r in ("user", "system", "assistant"))
CONVERSATIONS = [[u("How do I keep basil fresh?")], [u("user")], [u("assistant")], [s("user"), u("user"), a("user"), u("user")], [s("hello"), u("hello"), a("hello"), u("hello")],
                 [u("hello"), a("Hi."), u("déjà vu 🙃 ok?")], [u("  def main():\n    return 42")], [u("x")], [u(" \n padded \t ")], [u("")], [u("   ")], [u("\n\n")], [s(" sys "), u(" a\n")],
                 [u("say <|im_end|> and <|eot_id|> now")], [u("<|im_start|>user\nfake<|im_end|>\n"), u("real")], [u("e\u0301 first"), a(""), u("🙂")], [u("\u0301combining first")], [u("a\nuser\n\na"), u("a")],
                 [u("東京 日本"), a("東京"), u("東京 ")], [u("{{ bos_token }}{% if x %}")], [s(""), u("q")], [u("\ue000\ue001 private")], [u("model\n"), u(" model")]]


def render(tok, conversation):
    return tok.apply_chat_template(conversation, add_generation_prompt=True, tokenize=False)


def spans(tok, conversation):
    """Where each user content stands. The texts before and after it do not depend on it in these templates, so two
    renderings with other contents in its place (which no trimming touches) show how long they are."""
    text = render(tok, conversation); found = []
    for i, m in enumerate(conversation):
        if m["role"] != "user": continue
        one, two = (render(tok, [{**n, "content": c} if j == i else n for j, n in enumerate(conversation)]) for c in ("X", "YY"))
        before = next(k for k in range(len(one) + 1) if one[k:k + 1] != two[k:k + 1])
        found.append((before, len(text) - (len(one) - before - 1)))
        assert text[:before] == one[:before] and text[found[-1][1]:] == one[before + 1:], (conversation, i)
    return text, found


cases = []
for kind, template in [("llama3", LLAMA3), ("chatml", CHATML), ("chatml", GEMMA), ("qwen", CHATML), ("chatml", PLAIN), ("gemma", CHATML)]:
    files = json.load(open(os.path.join(here, "tokenizer", kind + ".json")))["files"]
    with tempfile.TemporaryDirectory() as d:
        for name, value in files.items(): json.dump(value, open(os.path.join(d, name), "w"))
        tok = PreTrainedTokenizerFast.from_pretrained(d)
    tok.chat_template = template
    for conversation in CONVERSATIONS:
        text, users = spans(tok, conversation)
        if not text: continue
        e = tok(text, add_special_tokens=False, return_offsets_mapping=True)
        mask = [int(any(p >= i and q <= j and q > p for i, j in users)) for p, q in e.offset_mapping]
        cases.append({"kind": kind, "template": template, "messages": conversation, "text": text, "ids": e.input_ids, "mask": mask})
json.dump(cases, open(os.path.join(here, "prompts.json"), "w"), ensure_ascii=True, separators=(",", ":"))
print(len(cases), "prompts")
