import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { InputError } from "../formats/input-error.js";
import { memoryFolder } from "../formats/memory-source.js";
import { compileTemplate, type Message } from "./chat-template.js";
import { loadTokenizer } from "./tokenizer.js";
import { contentSpans, maskOf, renderPrompt } from "./user-mask.js";

/** What transformers rendered and tokenised; made by test/goldens/prompts.py. */
interface Golden {
  kind: string;
  template: string;
  messages: Message[];
  text: string;
  ids: number[];
  mask: number[];
}
const read = (file: string) => JSON.parse(readFileSync(new URL(`../../test/goldens/${file}`, import.meta.url), "utf8"));
const cases = read("prompts.json") as Golden[];
const tokenizerOf = (kind: string) => {
  const { files } = read(`tokenizer/${kind}.json`) as { files: Record<string, unknown> };
  return loadTokenizer(
    memoryFolder(kind, Object.fromEntries(Object.entries(files).map(([name, value]) => [name, JSON.stringify(value)]))),
  );
};
const user = (content: string) => ({ role: "user", content });
/** The contents that `contentSpans` finds, as text. */
const found = (source: string, messages: Message[]) => {
  const template = compileTemplate("t", source);
  const { text } = template.render(messages);
  return contentSpans(template, messages, text).map((spans) => spans.map(([from, to]) => text.slice(from, to)));
};
const FIRST_TRIMMED = "{% for m in messages %}[{{ m.content | trim if loop.first else m.content }}]{% endfor %}";

describe("the user mask", () => {
  it.each([...new Set(cases.map((one) => one.kind))])(
    "is transformers' for every conversation (%s tokenizer)",
    async (kind) => {
      const tokenizer = await tokenizerOf(kind);
      for (const golden of cases.filter((one) => one.kind === kind)) {
        const template = compileTemplate("t", golden.template, tokenizer.named);
        const { text, tokens, mask } = renderPrompt({ messages: golden.messages, tokenizer, template });
        const { messages } = golden;
        expect({ messages, text, ids: [...tokens], mask: [...mask] }).toEqual({
          messages,
          text: golden.text,
          ids: golden.ids,
          mask: golden.mask,
        });
      }
    },
  );

  it("counts tokens that lie inside a content whole, and no empty ones", () => {
    const tokens = [
      [0, 2],
      [2, 4],
      [3, 6],
      [4, 4],
      [4, 5],
      [8, 9],
    ] as const;
    expect([
      ...maskOf(tokens, [
        [2, 5],
        [8, 9],
      ]),
    ]).toEqual([0, 1, 0, 0, 1, 1]);
  });
});

describe("finding contents by position", () => {
  it("tells equal contents, role names and template words apart", () => {
    const template = "{% for m in messages %}user {{ m.role }} {{ m.content }} user{% endfor %}";
    const messages = [user("user"), { role: "assistant", content: "user" }, user("user user")];
    expect(found(template, messages)).toEqual([["user"], [], ["user user"]]);
  });

  it("handles templates that trim some messages and not others", () => {
    expect(found(FIRST_TRIMMED, [user(" a "), user(" b ")])).toEqual([["a"], [" b "]]);
    expect(found(FIRST_TRIMMED, [user("  "), user("  ")])).toEqual([[], ["  "]]);
  });

  it("handles templates that trim one side", () => {
    const template = "{% for m in messages %}[{{ m.content.lstrip() }}]{% endfor %}";
    expect(found(template, [user(" a ")])).toEqual([["a "]]);
    expect(found(template.replace("lstrip", "rstrip"), [user(" a ")])).toEqual([[" a"]]);
  });

  it("is not misled by white space of the template that looks like the content's own", () => {
    const template = "{% for m in messages %}\n\n{{ m.content | trim }}\n\n{% endfor %}";
    const messages = [user("\n\na\n\n")];
    expect(found(template, messages)).toEqual([["a"]]);
    const compiled = compileTemplate("t", template);
    expect(contentSpans(compiled, messages, compiled.render(messages).text)).toEqual([[[1, 2]]]); // the newline after a block tag is not part of the template
  });

  it("follows contents that are moved, written twice or left out", () => {
    expect(found("{% for m in messages | reverse %}<{{ m.content }}>{% endfor %}", [user("a"), user("b")])).toEqual([
      ["a"],
      ["b"],
    ]);
    expect(found("{% for m in messages %}{{ m.content }}+{{ m.content }};{% endfor %}", [user("a")])).toEqual([
      ["a", "a"],
    ]);
    expect(found("{{ messages[-1].content }}", [user("a"), user("b")])).toEqual([[], ["b"]]);
    expect(found("{% for m in messages %}[{{ m.content }}]{% endfor %}", [user("")])).toEqual([[]]);
  });

  it("keeps templates that look into the content working", () => {
    const template =
      "{% for m in messages %}{% if '</think>' in m.content %}T{% endif %}{% if m.content | trim %}[{{ m.content | trim }}]{% endif %}{% endfor %}";
    expect(found(template, [user("</think> a"), user(" ")])).toEqual([["</think> a"], []]);
  });

  it("does not mind what a template does with messages of other roles", () => {
    const template =
      "{% for m in messages %}{{ m.content.split('</think>')[-1] if m.role == 'assistant' else m.content }};{% endfor %}";
    const messages = [user("a"), { role: "assistant", content: "hm</think>b" }, user("b")];
    expect(found(template, messages)).toEqual([["a"], [], ["b"]]);
  });

  it("says so when a template changes the content", () => {
    expect(() => found("{% for m in messages %}{{ m.content | length }}{% endfor %}", [user("ab")])).toThrow(
      /changes the content of message 0 \(user\).*--raw/,
    );
    expect(() => found("{% for m in messages %}{{ m.content.split(' ')[0] }}{% endfor %}", [user("a b")])).toThrow(
      InputError,
    );
  });

  it("finds contents that hold private-use characters, and refuses one that holds them all", () => {
    const template = "{% for m in messages %}[{{ m.content }}]{% endfor %}";
    expect(found(template, [user("\ue000x\ue001")])).toEqual([["\ue000x\ue001"]]);
    const all = Array.from({ length: 0xf8ff - 0xe000 + 1 }, (_, i) => String.fromCharCode(0xe000 + i)).join("");
    expect(() => found(template, [user(all)])).toThrow(/private-use/);
  });
});

describe("rendering a prompt", () => {
  const template = compileTemplate("t", "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}");

  it("steers user content, system content or everything", async () => {
    const tokenizer = await tokenizerOf("chatml");
    const masked = (positions: "user" | "system" | "all") => {
      const { tokens, mask } = renderPrompt({
        messages: [user("hello")],
        system: "be nice",
        tokenizer,
        template,
        positions,
      });
      return tokenizer.decode([...tokens].filter((_, i) => mask[i]));
    };
    expect([masked("user"), masked("system"), masked("all")]).toEqual([
      "hello",
      "be nice",
      "<system>be nice<user>hello",
    ]);
  });

  it("puts --system in place of the conversation's own", async () => {
    const tokenizer = await tokenizerOf("chatml");
    const messages = [{ role: "system", content: "old" }, user("q")];
    expect(renderPrompt({ messages, system: "new", tokenizer, template }).text).toBe("<system>new<user>q");
  });

  it("takes a raw prompt as it is, every token counting", async () => {
    const tokenizer = await tokenizerOf("chatml");
    const { text, mask } = renderPrompt({ messages: [user(" raw <|im_end|>")], tokenizer, raw: true });
    expect([text, [...mask].every((m) => m === 1)]).toEqual([" raw <|im_end|>", true]);
  });

  it.each([
    ["an empty raw prompt", { messages: [user("")], raw: true }, /raw prompt is empty/],
    ["--raw with --system", { messages: [user("a")], raw: true, system: "s" }, /leave one out/],
    ["a model without template", { messages: [user("a")] }, /--raw/],
    [
      "system positions without a system message",
      { messages: [user("a")], template, positions: "system" as const },
      /--system/,
    ],
  ])("refuses %s", async (_, options, message) => {
    const tokenizer = await tokenizerOf("chatml");
    expect(() => renderPrompt({ ...options, tokenizer })).toThrow(message);
  });
});
