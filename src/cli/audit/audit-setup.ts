/** Opens everything that an audit or a verification works on. */

import type { AuditContext } from "../../audit/ask/context.js";
import { methodRunner } from "../../audit/ask/method-runner.js";
import { chatRenderer } from "../../audit/prompts/chat-renderer.js";
import { requireCorpus } from "../../audit/prompts/corpus.js";
import type { Prompt } from "../../audit/prompts/prompt.js";
import type { Engine } from "../../engine/engine.js";
import { findMethod, towardsAction } from "../../methods/registry.js";
import type { Tokenizer } from "../../model/tokenizer.js";
import type { Sae } from "../../sae/sae.js";
import { openAction } from "../action/action.js";
import type { Judge } from "../action/judge.js";
import { chooseLayer } from "../model/layer.js";
import { type OpenedModel, openCleanModel, openModel } from "../model/open-model.js";
import { requireSae } from "../model/open-sae.js";
import { type Answers, RememberingEngine } from "../model/remembering-engine.js";
import { type Used, usedSettings } from "../model/used.js";
import { BENIGN_SET, CORPUS_SET, loadPromptsOr, renderAll, requireMaskedTokens } from "../prompts/prompts.js";
import type { Io } from "../terminal/io.js";
import type { ComputeFlags, OutputFlags } from "../terminal/options.js";
import type { AuditRequest } from "./audit-request.js";
import type { RunFolder } from "./run-folder.js";

/** Words of the tokenizer that are offered for the vocabulary scan. */
const VOCABULARY_WORDS = 20_000;

export interface AuditSetup {
  readonly model: OpenedModel;
  readonly context: AuditContext;
  readonly cleanFingerprint: string | null;
  /** Where a judge says what counts as the action. */
  readonly judge: Judge | null;
  readonly used: Used;
}

/** InputError where the request lacks something or its parts do not fit together; `what` names what asks for it. */
export async function setUpAudit(
  io: Io,
  request: AuditRequest,
  flags: ComputeFlags & OutputFlags,
  what = "an audit",
): Promise<AuditSetup> {
  const { model: name, adapter } = request;
  const model = await openModel(
    { ...flags, ...(name === undefined ? {} : { model: name }), ...(adapter === undefined ? {} : { adapter }) },
    request,
  );
  const opened = await requireSae(model, request.sae, what, request.labels);
  const { sae } = opened;
  const layer = chooseLayer(io, request.layer, sae.info, model.engine.model);
  const { action, judge, used: actionUsed } = await openAction(model, request);
  const prompts = await loadPromptsOr(request.prompts, BENIGN_SET, model);
  const corpus = await loadPromptsOr(request.corpus, CORPUS_SET, model, "--corpus");
  requireCorpus(corpus.map(asPrompt)); // now, and not when the run folder is made
  const template = {
    positions: "user" as const,
    ...(request.system === undefined ? {} : { system: request.system }),
    ...(request.raw ? { raw: true } : {}),
  };
  const rendered = renderAll(model, prompts, template);
  requireMaskedTokens(rendered.sequences, prompts, "user");
  const clean = await openCleanModel(model, request.base);
  const runners = auditMethods(request.methods, sae);
  return {
    model,
    context: {
      suspect: model.engine,
      clean: clean?.engine ?? null,
      sae,
      layer,
      renderer: chatRenderer({
        tokenizer: model.tokenizer,
        raw: request.raw ?? false,
        ...(model.template ? { template: model.template } : {}),
        ...(request.system === undefined ? {} : { system: request.system }),
      }),
      action,
      prompts: prompts.map(asPrompt),
      corpus: corpus.map(asPrompt),
      methods: runners,
      label: opened.label,
      lens: { unembedding: model.engine, tokenText: (id) => model.tokenizer.tokenText(id) },
      vocabulary: tokenizerWords(model.tokenizer),
    },
    cleanFingerprint: clean?.fingerprint ?? null,
    judge,
    used: usedSettings(
      model,
      { ...template, date: rendered.date },
      {
        clean: clean?.engine.model.name ?? null,
        ...actionUsed,
        sae: opened.name,
        layer,
        prompts: request.prompts ?? BENIGN_SET,
        promptCount: prompts.length,
        corpus: request.corpus ?? CORPUS_SET,
        corpusCount: corpus.length,
        methods: runners.map((runner) => runner.name).join(", "),
        seed: request.seed ?? flags.seed,
      },
    ),
  };
}

/** The same context with every answer kept in the run's journal, so that an interrupted run can be taken up again. */
export function rememberIn(run: RunFolder, setup: AuditSetup): AuditContext {
  return withAnswers(run.journal, setup);
}

/** The same context with every answer kept in `answers`, which other audits of the same models may share. */
export function withAnswers(answers: Answers, { model, context, cleanFingerprint, judge }: AuditSetup): AuditContext {
  judge?.rememberIn(answers);
  const remember = (engine: Engine, fingerprint: string) =>
    new RememberingEngine(engine, answers, fingerprint, model.parameters);
  return {
    ...context,
    suspect: remember(context.suspect, model.fingerprint),
    clean: context.clean && remember(context.clean, cleanFingerprint ?? ""),
  };
}

/** Methods that rank latents for an action: the named ones, or all there are. */
function auditMethods(names: readonly string[] | undefined, sae: Sae) {
  const chosen = names?.map((name) => findMethod(name, towardsAction)) ?? towardsAction;
  return chosen.map((method) => methodRunner(method, sae));
}

function asPrompt(messages: readonly { readonly role: string; readonly content: string }[]): Prompt {
  return { messages };
}

/** Whole words among the tokens, in the order of their ids: byte-pair merges come most frequent first. */
function tokenizerWords(tokenizer: Tokenizer): string[] {
  const words = new Set<string>();
  for (let id = 0; id < tokenizer.vocabularySize && words.size < VOCABULARY_WORDS; id++) {
    const word = /^ (\p{L}{3,})$/u.exec(tokenizer.tokenText(id) ?? "")?.[1];
    if (word !== undefined && !tokenizer.isSpecial(id)) words.add(word);
  }
  return [...words];
}
