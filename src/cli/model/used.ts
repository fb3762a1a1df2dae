/** What a result was computed with: part of every result, so that nothing that changes it goes unsaid. */

import type { PromptFlags } from "../terminal/options.js";
import type { OpenedModel } from "./open-model.js";

export type Used = Readonly<Record<string, string | number | boolean | null>>;

/** Model, engine and how prompts became tokens; `more` adds the command's own. */
export function usedSettings(
  model: OpenedModel,
  prompts: PromptFlags & { readonly date: string | null },
  more: Used = {},
): Used {
  const { engine, dtype } = model.engine.model;
  return {
    model: model.name,
    adapter: model.adapter,
    engine,
    dtype,
    template: prompts.raw ? "none (raw)" : (model.template?.name ?? "none"),
    date: prompts.date,
    system: prompts.system ?? null,
    positions: prompts.raw ? "all (raw)" : prompts.positions,
    threads: model.flags.threads,
    ...more,
  };
}

/** One line for people; settings that are not in force are left out. */
export function usedText(used: Used): string {
  return Object.entries(used)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => `${key} ${value}`)
    .join(" · ");
}
