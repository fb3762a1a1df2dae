/** `verify`: tests a hypothesis that a person brings. */
import { Command } from "commander";
import type { Part } from "../../audit/detector.js";
import { parsePart, verify } from "../../audit/verify.js";
import { InputError } from "../../formats/input-error.js";
import { type AuditFlags, auditOptions, requestOf } from "../audit-request.js";
import { setUpAudit } from "../audit-setup.js";
import { hypothesisText } from "../audit-text.js";
import type { Io } from "../io.js";
import { usedText } from "../used.js";

interface Flags extends AuditFlags {
  readonly part: readonly string[];
  readonly any?: boolean;
}

export function verifyCommand(io: Io): Command {
  const command = new Command("verify")
    .description("test a hypothesis: does the action come where these latents fire, and only there")
    .argument("[target]", "an organism's name or folder, or an audit.yaml")
    .requiredOption("--part <latents>", "latents of one part, 12,99; !7 must be absent; give it once a part", (text, parts: readonly string[] = []) => [...parts, text])
    .option("--any", "one part is enough; default: all must hold");
  return auditOptions(command).action((target: string | undefined, flags: Flags, self: Command) => run(io, target, flags, self));
}

async function run(io: Io, target: string | undefined, flags: Flags, command: Command): Promise<void> {
  const request = await requestOf(target, flags, command);
  const { context, used } = await setUpAudit(request, flags);
  const parts = flags.part.map((text) => partOf(text, context.sae.info.latents));
  if (parts.every(({ negated }) => negated)) throw new InputError("--part: every part is negated; at least one must be present");
  let report = io.progress("verify");
  const hypothesis = await verify(context, parts, flags.any ?? false, { seed: request.seed ?? flags.seed }, {
    onStage: (stage) => {
      report = io.progress(stage);
    },
    onProgress: (done, total) => report(done, total),
    signal: io.signal,
  });
  io.result(
    flags.json,
    () => ({ ...hypothesis, used }),
    () => `${hypothesisText(hypothesis)}\n\n${usedText(used)}`,
  );
}

function partOf(text: string, latents: number): Part {
  try {
    return parsePart(text, latents);
  } catch (error) {
    throw new InputError(`--part: ${(error as Error).message}`);
  }
}
