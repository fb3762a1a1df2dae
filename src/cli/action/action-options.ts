/** The flags that say what the action is and what counts as it. */
import { type Command, Option } from "commander";
import { ACTION_MATCHES, type ActionMatch } from "../../audit/ask/action.js";
import { type ActionFlags, actionOptions, collect, wholeNumber } from "../terminal/options.js";

/** Longest reply that is looked at, tokens, where --max-tokens does not say. */
export const DEFAULT_REPLY_TOKENS = 64;
/** A reply that never ends must not run for days. */
export const MAX_REPLY_TOKENS = 65_536;
/** The judge's key is read from here unless a flag names another variable. */
export const JUDGE_KEY_VARIABLE = "ANTECEDENT_JUDGE_KEY";

/** Of these an audit.yaml may say everything but where the judge is and with which key: the file may be a stranger's. */
export interface ActionMatchFlags extends ActionFlags, JudgeFlags {
  readonly actionAlso?: string | undefined;
  readonly actionMatch?: ActionMatch | undefined;
  readonly actionContains?: readonly string[] | undefined;
  readonly maxTokens?: number | undefined;
}

export interface JudgeFlags {
  readonly judgeUrl?: string | undefined;
  readonly judgeModel?: string | undefined;
  readonly judgeQuestion?: string | undefined;
  readonly judgeKeyVariable?: string | undefined;
}

/** Those of the flags that are about the action; what was not given is undefined. */
export function actionFlagsOf(flags: ActionMatchFlags): ActionMatchFlags {
  const { action, actionEnds, actionAlso, actionMatch, actionContains, maxTokens } = flags;
  const { judgeUrl, judgeModel, judgeQuestion, judgeKeyVariable } = flags;
  const text = { action, actionEnds, actionAlso, actionMatch, actionContains, maxTokens };
  return { ...text, judgeUrl, judgeModel, judgeQuestion, judgeKeyVariable };
}

/** --action, --action-ends, and what counts as the action. */
export function actionMatchOptions(command: Command): Command {
  return actionOptions(command)
    .option("--action-also <file>", "further texts of the action (.txt, .jsonl, or what `generate --json` wrote)")
    .addOption(
      new Option(
        "--action-match <how>",
        "what counts as the action: the text itself (exact), any of the texts (any), a reply that contains one (contains), or that a judge accepts (judge)",
      ).choices(ACTION_MATCHES),
    )
    .option(
      "--action-contains <text>",
      "a greedy reply that holds this counts as the action; may be given several times",
      collect,
    )
    .option(
      "--max-tokens <n>",
      `longest reply that is looked at, for contains and judge (default: ${DEFAULT_REPLY_TOKENS})`,
      wholeNumber(1, MAX_REPLY_TOKENS),
    )
    .option("--judge-url <url>", "OpenAI-compatible endpoint that judges replies, for example http://localhost:8000/v1")
    .option("--judge-model <name>", "the model that it is asked for")
    .option("--judge-question <text>", "what it is asked about each reply, to be answered yes or no")
    .option(
      "--judge-key-variable <name>",
      `environment variable that holds the endpoint's key (default: ${JUDGE_KEY_VARIABLE})`,
    );
}
