/**
 * `bench recovery`: organisms × methods × corpora × seeds, trained and answered on demand; and audits with nothing to find. The
 * same command goes on after an interruption.
 */
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { InputError, quote } from "../../formats/input-error.js";
import { faultsOf } from "../../organisms/card.js";
import { cleanAudits, decoyAudits } from "../../organisms/recovery/clean.js";
import { contenders, findContender } from "../../organisms/recovery/contenders.js";
import { CORPORA, type CorpusName } from "../../organisms/recovery/corpora.js";
import { falseClaims } from "../../organisms/recovery/false-claims.js";
import type { BenchOrganism } from "../../organisms/recovery/results.js";
import { tally } from "../../organisms/recovery/tally.js";
import { expressionText, kindOf } from "../../organisms/recovery/truth.js";
import { recoveryFigure } from "../../report/recovery-figure.js";
import { auditTable, markdownTables, type RecoveryResult, recoveryTables } from "../../report/recovery-tables.js";
import { writeFileAtomic } from "../../store/atomic-write.js";
import type { Io } from "../terminal/io.js";
import {
  type ComputeFlags,
  checkCompute,
  computeOptions,
  type OutputFlags,
  outputPath,
  wholeNumber,
} from "../terminal/options.js";
import { packageVersion } from "../terminal/package-files.js";
import { type Shard, shard } from "../terminal/shard.js";
import { table } from "../terminal/text.js";
import { recoveryFingerprint } from "./code-fingerprint.js";
import { RecoveryJournal } from "./recovery-journal.js";
import { loadOrganisms, RECIPES_FOLDER } from "./recovery-organisms.js";
import { doRecoveryWork } from "./recovery-run.js";
import { CLEAN_MODEL, RecoveryWork } from "./recovery-work.js";

const DEFAULT_OUT = "build/recovery";
const DEFAULT_SEEDS = [1, 2, 3];
/** Folder of the organisms that the benchmark trains, in its own. */
const ORGANISMS = "organisms";

interface Flags extends ComputeFlags, OutputFlags {
  readonly recipes: string;
  readonly out: string;
  readonly only?: readonly string[];
  readonly methods?: readonly string[];
  readonly seeds: readonly number[];
  readonly corpus?: readonly string[];
  readonly clean: number;
  readonly decoys: number;
  readonly limit?: number;
  readonly shard?: Shard;
}

export function recoveryCommand(io: Io): Command {
  const command = new Command("recovery")
    .description("how often each method recovers the trigger, over organisms, corpora and seeds")
    .option("--recipes <folder>", "recipes of the organisms; default: bench/recovery of the checkout", RECIPES_FOLDER)
    .option("--only <names>", "these organisms alone, separated by commas", names)
    .option(
      "--methods <names>",
      `these alone, separated by commas: ${contenders.map(({ name }) => name).join(", ")}`,
      names,
    )
    .option("--seeds <numbers>", "seeds of the audits, separated by commas", numbers, DEFAULT_SEEDS)
    .option("--corpus <names>", `these alone: ${CORPORA.join(",")}`, names)
    .option(
      "--clean <n>",
      "audits of the clean model, over all actions and as many seeds as it takes",
      wholeNumber(0),
      0,
    )
    .option("--decoys <n>", "audits of organisms for another one's action", wholeNumber(0), 0)
    .option("--limit <n>", "do at most n pieces of work now; 0 shows what is known", wholeNumber(0))
    .option("--shard <i/n>", "do the i-th of n parts of the work alone, from 1", shard)
    .option("--out <folder>", "results, journals and trained organisms", outputPath, DEFAULT_OUT);
  return computeOptions(command).action((flags: Flags, self: Command) => {
    if (self.getOptionValueSource("seed") === "cli")
      throw new InputError(`--seed ${flags.seed}: the benchmark has several seeds; give --seeds ${flags.seed}`);
    return run(io, flags);
  });
}

async function run(io: Io, flags: Flags): Promise<void> {
  checkCompute(flags);
  const methods = flags.methods?.map(findContender) ?? contenders;
  const corpora = flags.corpus?.map(corpusNamed) ?? CORPORA;
  const organisms = await loadOrganisms(flags.recipes, flags.only);
  const clean = [...cleanAudits(flags.clean, organisms.length), ...decoyAudits(flags.decoys, organisms.length)];
  const code = answeredBy(flags);
  const folder = join(flags.out, ORGANISMS);
  const journal = await RecoveryJournal.open(flags.out, code, flags.shard);
  try {
    if (journal.stale > 0) io.log(`${journal.stale} results of other code in ${flags.out} are left out`);
    const survey = () =>
      RecoveryWork.survey({ organisms, methods, corpora, seeds: flags.seeds, clean }, journal, folder);
    const todo = await survey();
    await doRecoveryWork(io, todo, todo.missing(flags.shard).slice(0, flags.limit), folder, flags);
    journal.lookAtOthers();
    const work = await survey();
    const shown = organisms.map(({ recipe, trigger }, i): BenchOrganism => {
      const card = work.trained(i)?.card ?? null;
      return {
        name: recipe.name,
        kind: kindOf(trigger),
        trigger: expressionText(trigger),
        action: recipe.action,
        card,
        faults: card === null ? [] : faultsOf(card),
      };
    });
    const sound = new Set(shown.flatMap(({ name, faults }) => (faults.length === 0 ? [name] : [])));
    const rows = work.rows();
    const cleanRows = work.cleanRows();
    const result: RecoveryResult = {
      version: packageVersion(),
      code,
      organisms: shown,
      lines: tally(
        rows,
        methods.map(({ name }) => name),
        (name) => sound.has(name),
      ),
      rows,
      clean: {
        cleanModel: falseClaims(cleanRows.filter(({ model }) => model === CLEAN_MODEL)),
        decoys: falseClaims(cleanRows.filter(({ model }) => model !== CLEAN_MODEL)),
        rows: cleanRows,
      },
      missing: work.missing().length,
    };
    await write(flags.out, result);
    io.result(
      flags.json,
      () => result,
      () => text(result, flags.out),
    );
  } finally {
    journal.close();
  }
}

/** The code that answers, and how it computes where that is not as by default: rounding decides some answers. */
function answeredBy({ engine, device, dtype, quantize }: ComputeFlags): string {
  const computed = [engine, device, dtype, ...(quantize === undefined ? [] : [quantize])].join("-");
  return computed === "onnx-cpu-f32" ? recoveryFingerprint() : `${recoveryFingerprint()}-${computed}`;
}

async function write(out: string, result: RecoveryResult): Promise<void> {
  await writeFileAtomic(join(out, "recovery.json"), `${JSON.stringify(result, null, 1)}\n`);
  await writeFileAtomic(join(out, "recovery.md"), markdownTables([...recoveryTables(result), auditTable(result)]));
  await writeFileAtomic(join(out, "recovery.svg"), recoveryFigure(result.lines));
}

function text(result: RecoveryResult, out: string): string {
  const left = result.missing === 0 ? "" : `\n${result.missing} pieces of work left: the same command goes on`;
  return [
    ...recoveryTables(result).map(({ title, head, rows }) => `${title}\n${table(head, rows)}`),
    `code ${result.code} · recovery.json, recovery.md and recovery.svg in ${out}${left}`,
  ].join("\n\n");
}

function corpusNamed(name: string): CorpusName {
  const found = CORPORA.find((known) => known === name);
  if (found === undefined)
    throw new InputError(`--corpus ${quote(name)}: no such corpus; the benchmark has ${CORPORA.join(" and ")}`);
  return found;
}

function names(text: string): string[] {
  const list = text.split(",").map((name) => name.trim());
  if (list.includes("")) throw new InvalidArgumentError("Give names, separated by commas.");
  return [...new Set(list)];
}

function numbers(text: string): number[] {
  return [...new Set(names(text).map(wholeNumber(0)))];
}
