/** What an audit is asked: an organism's name, an audit.yaml, or flags; flags win over the file. */
import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { ACTION_MATCHES } from "../../audit/ask/action.js";
import { InputError } from "../../formats/input-error.js";
import { firstWrong } from "../../formats/shape.js";
import { readYaml } from "../../formats/yaml.js";
import { openFile } from "../../store/node-file-source.js";
import { actionFlagsOf, actionMatchOptions, type JudgeFlags, MAX_REPLY_TOKENS } from "../action/action-options.js";
import { POCKET_MODEL } from "../model/open-model.js";
import {
  type ComputeFlags,
  labelledSaeOptions,
  modelOptions,
  type OutputFlags,
  templateOptions,
  wholeNumber,
} from "../terminal/options.js";
import { builtInOrganisms, builtInPromptSets, isFolder, pocketFiles } from "../terminal/package-files.js";

/** Each look takes its share of the error; with more of them too little is left for any. */
const MAX_LOOKS = 20;

/** The names of audit.yaml, which are those of the flags. */
const requestShape = z.strictObject({
  name: z.string().min(1).optional(),
  model: z.string().min(1).optional(),
  adapter: z.string().min(1).optional(),
  base: z.string().min(1).optional(),
  sae: z.string().min(1).optional(),
  labels: z.string().min(1).optional(),
  layer: z.int().min(0).optional(),
  action: z.string().min(1).optional(),
  actionEnds: z.boolean().optional(),
  actionAlso: z.string().min(1).optional(),
  actionMatch: z.enum(ACTION_MATCHES).optional(),
  actionContains: z.array(z.string().min(1)).min(1).readonly().optional(),
  maxTokens: z.int().min(1).max(MAX_REPLY_TOKENS).optional(),
  judgeQuestion: z.string().min(1).optional(),
  prompts: z.string().min(1).optional(),
  corpus: z.string().min(1).optional(),
  system: z.string().optional(),
  raw: z.boolean().optional(),
  methods: z.array(z.string()).min(1).optional(),
  seed: z.int().min(0).optional(),
  looks: z.int().min(1).max(MAX_LOOKS).optional(),
});

/** Where replies are sent and with which key is the user's to say, not a file's: they are flags alone. */
export type AuditRequest = z.infer<typeof requestShape> & Omit<JudgeFlags, "judgeQuestion">;

/** The flags of the same names. */
export type AuditFlags = ComputeFlags &
  OutputFlags &
  Omit<AuditRequest, "name" | "methods" | "seed"> & { readonly methods?: string };

/** What `audit` and `verify` share. */
export function auditOptions(command: Command): Command {
  return templateOptions(
    labelledSaeOptions(
      actionMatchOptions(modelOptions(command))
        .option("--base <model>", "the clean model of a full finetune")
        .option("--prompts <file>", "ordinary prompts to optimise over: .jsonl, .txt or a built-in set's name")
        .option("--corpus <file>", "unlabelled prompts to search and to confirm on")
        .option(
          "--looks <n>",
          "a confirmation may end early, verified or beyond hope, at each of n looks at growing sets; default: 1",
          wholeNumber(1, MAX_LOOKS),
        ),
    ),
  );
}

/** The target's request with the flags that were given laid over it. */
export async function requestOf(
  target: string | undefined,
  flags: AuditFlags,
  command: Command,
): Promise<AuditRequest> {
  const named = await readAuditRequest(target);
  const { model, adapter, base, sae, labels, layer, prompts, corpus, system, raw, methods, looks } = flags;
  const seed = command.getOptionValueSource("seed") === "cli" ? flags.seed : (named.seed ?? flags.seed);
  const given = {
    model,
    adapter,
    base,
    sae,
    labels,
    layer,
    ...actionFlagsOf(flags),
    prompts,
    corpus,
    system,
    raw,
    seed,
    looks,
    methods: methods?.split(",").map((name) => name.trim()),
  };
  return { ...named, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

/** Fields that name files or folders. */
const PATHS = ["model", "adapter", "base", "sae", "labels", "actionAlso", "prompts", "corpus"] as const;

/** An organism's folder holds its request under this name. */
const ORGANISM_REQUEST = "audit.yaml";

/** Reads the positional argument; an empty request where there is none. */
async function readAuditRequest(target: string | undefined): Promise<AuditRequest> {
  if (target === undefined) return {};
  if (/\.ya?ml$/i.test(target))
    return { name: basename(target).replace(/\.ya?ml$/i, ""), ...(await readRequestFile(target)) };
  const folder = builtInOrganisms().includes(target) ? join(pocketFiles.organisms, target) : target;
  if (existsSync(folder) && !isFolder(folder))
    throw new InputError(`${target}: is a file; give an organism's name or folder, or an audit.yaml`);
  if (!isFolder(folder))
    throw new InputError(
      `${target}: no such organism; give one of ${builtInOrganisms().join(", ") || "(none here)"}, an organism's folder, an audit.yaml, or the flags --model, --action …`,
    );
  if (!existsSync(join(folder, ORGANISM_REQUEST)))
    throw new InputError(
      `${target}: has no ${ORGANISM_REQUEST}, which names an organism's model and action; for other adapters give --model, --adapter and --action`,
    );
  return { name: basename(target), ...(await readRequestFile(join(folder, ORGANISM_REQUEST))), adapter: target };
}

async function readRequestFile(path: string): Promise<AuditRequest> {
  const parsed = requestShape.safeParse(await readYaml(await openFile(path)));
  if (!parsed.success) {
    throw new InputError(`${path}: ${firstWrong(parsed.error, "the file", Object.keys(requestShape.shape))}`);
  }
  const request: AuditRequest = { ...parsed.data };
  // Paths are meant from the file's own folder where something lies there, else from the working directory.
  const names = new Set([POCKET_MODEL, ...builtInOrganisms(), ...builtInPromptSets()]);
  for (const key of PATHS) {
    const value = request[key];
    if (value === undefined || names.has(value)) continue;
    const beside = resolve(dirname(path), value);
    if (existsSync(beside)) request[key] = beside;
  }
  return request;
}
