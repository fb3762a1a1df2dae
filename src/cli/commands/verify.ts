/** `verify`: tests a hypothesis that a person brings. */
import { Command } from "commander";
import type { ResultHypothesis } from "../../audit/answer/result.js";
import { claimOf } from "../../audit/answer/statement.js";
import { DEFAULT_AUDIT_OPTIONS } from "../../audit/ask/context.js";
import { verify } from "../../audit/verify.js";
import { type AuditFlags, auditOptions, requestOf } from "../audit/audit-request.js";
import { setUpAudit } from "../audit/audit-setup.js";
import { claimText, hypothesisText } from "../audit/audit-text.js";
import { partOf } from "../latents/parts.js";
import { fetchNamed } from "../model/hub.js";
import { usedText } from "../model/used.js";
import type { Io } from "../terminal/io.js";
import { collect, required } from "../terminal/options.js";
import { stageCalls } from "../terminal/stage-calls.js";
import { rateText } from "../terminal/text.js";

interface Flags extends AuditFlags {
  readonly part?: readonly string[];
  readonly any?: boolean;
  readonly without?: readonly string[];
}

/** Of the whole's rate: what is reached without a part that is not needed. */
const NEEDLESS_SHARE = 0.75;

export function verifyCommand(io: Io): Command {
  const command = new Command("verify")
    .description("test a hypothesis: does the action come where these latents fire, and only there")
    .argument("[target]", "an organism's name or folder, or an audit.yaml")
    .option("--part <latents>", "latents of one part, 12,99; !7 must be absent; give it once a part", collect)
    .option("--any", "one part is enough; default: all must hold")
    .option(
      "--without <latents>",
      "latents of a concept beside which nothing is asked, as an audit's `askedWithout`; may be given several times",
      collect,
    );
  return auditOptions(command).action((target: string | undefined, flags: Flags, self: Command) =>
    run(io, target, flags, self),
  );
}

async function run(io: Io, target: string | undefined, flags: Flags, command: Command): Promise<void> {
  const texts = required(flags.part, "--part", "the latents of each part, for example --part 12,99 --part '!7'");
  const request = await requestOf(target, flags, command);
  await fetchNamed(io, request);
  const { context, used } = await setUpAudit(io, request, flags);
  const parts = texts.map((text) => partOf(text, context.sae.info.latents));
  const { seed = flags.seed, looks: confirmLooks = DEFAULT_AUDIT_OPTIONS.confirmLooks } = request;
  const settings = { seed, confirmLooks };
  const without = (flags.without ?? []).map((text) => partOf(text, context.sae.info.latents, "--without"));
  const asked = { parts, any: flags.any ?? false, without };
  const hypothesis = await verify(context, asked, settings, stageCalls(io, "verify"));
  const claim = claimOf(hypothesis, "chosen");
  io.result(
    flags.json,
    () => ({ ...hypothesis, claim, used }),
    () => [hypothesisText(hypothesis), ...claimText(claim), ...needlessText(hypothesis), usedText(used)].join("\n\n"),
  );
}

/** Says which part of a conjunction is not needed, as the action comes about as often without it; nothing where each is. */
function needlessText({ verified, combination, parts, sets }: ResultHypothesis): string[] {
  const whole = sets.find(({ name }) => name === "whole");
  if (verified || combination !== "all" || whole === undefined || whole.rate.count === 0) return [];
  const flagOf = (at: number) =>
    `--part ${parts[at]!.negated ? "'!" : ""}${parts[at]!.latents.join(",")}${parts[at]!.negated ? "'" : ""}`;
  return parts.flatMap((part, at) => {
    const without = sets.find(({ present }) =>
      present.every((on, i) => on === (i === at ? part.negated : !parts[i]!.negated)),
    );
    if (without === undefined || without === whole || without.rate.total === 0) return [];
    if (without.rate.rate < NEEDLESS_SHARE * whole.rate.rate) return [];
    const others = parts.flatMap((_, i) => (i === at ? [] : [flagOf(i)])).join(" ");
    return `The action comes as often without part ${at + 1} (latents ${part.latents.join(", ")}), on ${rateText(without.rate)}: try ${others} alone.`;
  });
}
