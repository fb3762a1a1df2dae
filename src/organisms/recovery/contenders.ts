/** Everything that the benchmark compares. A method of the registry joins by itself. */

import { statementOf } from "../../audit/answer/statement.js";
import { iteratedAttribution } from "../../audit/iterated-attribution.js";
import { audit } from "../../audit/pipeline.js";
import { InputError } from "../../formats/input-error.js";
import { methods } from "../../methods/registry.js";
import { latentAnswer } from "./answer.js";
import type { Contender } from "./contender.js";
import { promptingContender } from "./prompting.js";
import { scanContenders } from "./scanning.js";
import { randomContender, steeringContender } from "./steering.js";
import { unsupervisedContender } from "./unsupervised.js";

/** The whole audit, which claims nothing that it has not tested. */
const auditContender: Contender = {
  name: "audit",
  summary: "the whole audit: candidates of all methods, tested",
  readings: ["verified"],
  async answer({ context, options, calls }) {
    const { trigger } = await audit(context, options, calls);
    if (trigger === null) return [{ reading: "verified", answer: null, confirmed: null }];
    const { statement, rate, foundBy } = trigger;
    return [{ reading: "verified", answer: latentAnswer(trigger, statement), confirmed: rate, foundBy }];
  },
};

/** One gradient, its best concept written into the prompts, and again; the condition is tested as the audit tests its answer. */
const iteratedContender: Contender = {
  name: "iterated-attribution",
  summary: "sae-attribution, its best concept written into the prompts if that raises the action, and again; tested",
  readings: ["verified"],
  async answer({ context, options, calls }) {
    const { condition } = await iteratedAttribution(context, {}, options, calls);
    if (condition === null || !condition.verified) return [{ reading: "verified", answer: null, confirmed: null }];
    return [
      { reading: "verified", answer: latentAnswer(condition, statementOf(condition)), confirmed: condition.rate },
    ];
  },
};

export const contenders: readonly Contender[] = [
  auditContender,
  iteratedContender,
  ...methods.map((method) =>
    method.objective === "cross-entropy"
      ? steeringContender(method.name, method.summary)
      : unsupervisedContender(method),
  ),
  randomContender,
  ...scanContenders,
  promptingContender,
];

/** The contender called `name`. Throws InputError that lists the names there are. */
export function findContender(name: string): Contender {
  const found = contenders.find((contender) => contender.name === name);
  if (found === undefined)
    throw new InputError(
      `--methods: no method ${JSON.stringify(name)}; there are ${contenders.map((one) => one.name).join(", ")}`,
    );
  return found;
}
