import { describe, expect, it } from "vitest";
import { InputError } from "../formats/input-error.js";
import { memoryFolder } from "../formats/memory-source.js";
import { compileTemplate, FIXED_DATE, loadChatTemplate } from "./chat-template.js";

const hello = [{ role: "user", content: "hello" }];
const render = (source: string, named = {}) => compileTemplate("t", source, named).render(hello);

describe("finding the chat template", () => {
  const load = async (files: Record<string, string>) =>
    (await loadChatTemplate(memoryFolder("m", files), {})).render(hello).text;

  it("looks into the template file first, then JSON, then the tokenizer's configuration", async () => {
    const config = JSON.stringify({ chat_template: "config" });
    const json = JSON.stringify({ chat_template: "json" });
    expect(
      await load({ "chat_template.jinja": "jinja", "chat_template.json": json, "tokenizer_config.json": config }),
    ).toBe("jinja");
    expect(await load({ "chat_template.json": json, "tokenizer_config.json": config })).toBe("json");
    expect(await load({ "tokenizer_config.json": config })).toBe("config");
  });

  it("takes the one called default from a list", async () => {
    const list = [
      { name: "tool_use", template: "tools" },
      { name: "default", template: "plain" },
    ];
    expect(await load({ "tokenizer_config.json": JSON.stringify({ chat_template: list }) })).toBe("plain");
    await expect(
      load({ "tokenizer_config.json": JSON.stringify({ chat_template: list.slice(0, 1) }) }),
    ).rejects.toThrow(/"default" \("tool_use"\)/);
  });

  it("names --raw when there is none", async () => {
    await expect(load({})).rejects.toThrow(/^m: has no chat template.*--raw/);
    await expect(load({ "tokenizer_config.json": '{"chat_template": 3}' })).rejects.toThrow(InputError);
  });
});

describe("rendering", () => {
  it("knows the messages, the named tokens and the generation prompt", () => {
    const source =
      "{{ bos_token }}{% for m in messages %}{{ m['role'] }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}A:{% endif %}{{ eos_token }}";
    const template = compileTemplate("t", source, { bos_token: "<s>" });
    expect(template.render(hello).text).toBe("<s>user: hello\nA:");
    expect(template.render(hello, { generationPrompt: false }).text).toBe("<s>user: hello\n");
  });

  it("strips and compares as Python does", () => {
    // Expected values are Python's.
    expect(
      render("[{{ '\\n\\n a\\n'.lstrip('\\n') }}|{{ '\\n a\\n\\n'.rstrip('\\n') }}|{{ 'xyaxb'.strip('xy') }}]").text,
    ).toBe("[ a\n|\n a|axb]");
    const trimmed = compileTemplate(
      "t",
      "{% for m in messages %}[{{ m.content | trim }}{{ m.content.strip() }}]{% endfor %}",
    );
    expect(trimmed.render([{ role: "user", content: "\x1c\x85\ufeffa\u3000" }]).text).toBe("[\ufeffa\ufeffa]");
    expect(
      render(
        "{{ 1 if '' != false }}{{ 2 if '' == false }}{{ 3 if none == false }}{{ 4 if true == 1 }}{{ 5 if 1 == 1.0 }}{{ 6 if '1' == 1 }}",
      ).text,
    ).toBe("145");
  });

  it("tells one fixed date, and whether it was asked for", () => {
    const llama =
      '{% if not date_string is defined %}{% if strftime_now is defined %}{% set date_string = strftime_now("%d %b %Y") %}{% endif %}{% endif %}Today: {{ date_string }}';
    expect(render(llama)).toEqual({ text: `Today: ${FIXED_DATE}`, usesDate: true });
    expect(
      render('{% if not date_string is defined %}{% set date_string = "26 Jul 2024" %}{% endif %}{{ date_string }}')
        .usesDate,
    ).toBe(true);
    expect(render('{{ strftime_now("%A %B %-d %Y-%m-%d %H:%M %%") }}').text).toBe("Friday July 26 2024-07-26 00:00 %");
    expect(render("no date").usesDate).toBe(false);
  });

  it("passes on what a template refuses", () => {
    const source = "{{ raise_exception('Conversation roles must alternate') }}";
    expect(() => render(source)).toThrow(
      /^t: the chat template refuses this conversation: "Conversation roles must alternate"/,
    );
    expect(() => render(source)).toThrow(InputError);
  });

  it.each([
    ["does not parse", "{% for %}"],
    ["is never closed", "{% if true %}"],
    [
      "loops for ever",
      "{% for a in range(100000) %}{% for b in range(100000) %}{% set x = a * b %}{% endfor %}{% endfor %}",
    ],
    ["asks for a huge range", "{{ range(100000000000) | length }}"],
    ["asks for an endless range", "{{ range(0, 10, 0) | length }}"],
    ["calls itself for ever", "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}"],
    [
      "grows a string without end",
      `{% set ns = namespace(s='x') %}{% for i in range(64) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}`,
    ],
    [
      "grows a list without end",
      `{% set ns = namespace(s=[1]) %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}`,
    ],
    ["is nested too deep", "{{ " + "(".repeat(100_000) + "1" + ")".repeat(100_000) + " }}"],
    ["is too long", "x".repeat(2 ** 20 + 1)],
  ])(
    "ends in an error when a template %s",
    (_, source) => {
      expect(() => render(source)).toThrow(InputError);
    },
    30_000,
  );
});
