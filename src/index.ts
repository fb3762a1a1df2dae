/**
 * Antecedent as a library: the same rooms that the command line drives.
 *
 * ```ts
 * const folder = await openFolder("path/to/checkpoint");
 * const engine = onnxEngine(await openCheckpoint(folder), openNodeChannel(), { name: "mine", threads: 4 });
 * const tokenizer = await loadTokenizer(folder);
 * const template = await loadChatTemplate(folder, tokenizer.named);
 * const { tokens, mask } = renderPrompt({ messages: [{ role: "user", content: "Hello" }], tokenizer, template });
 * const [score] = await engine.score([{ prompt: tokens, mask, action: tokenizer.encode("Hi!") }]);
 * await engine.close();
 * ```
 *
 * Errors that the input causes are `InputError`s with one line that says what would be right.
 */

export type { AuditResult, ResultHypothesis, ResultTrigger } from "./audit/answer/result.js";
// Audits: directions to tested hypotheses
export { type Action, exactAction, replyAction, textAction, towardsAction } from "./audit/ask/action.js";
export { containsAny } from "./audit/ask/contains.js";
export { type AuditCalls, type AuditContext, type AuditOptions, DEFAULT_AUDIT_OPTIONS } from "./audit/ask/context.js";
export { methodRunner } from "./audit/ask/method-runner.js";
export { type IteratedResult, iteratedAttribution } from "./audit/iterated-attribution.js";
export { audit } from "./audit/pipeline.js";
export { chatRenderer } from "./audit/prompts/chat-renderer.js";
export { type Rate, rateOf, wilson } from "./audit/statistics/statistics.js";
export { parsePart, verify } from "./audit/verify.js";
// Engines
export type {
  Engine,
  Evaluation,
  GenerateOptions,
  LayerChange,
  LayerChangeObjective,
  ModelInfo,
  Objective,
  Reply,
  Residual,
  Score,
  Steering,
  SteeringObjective,
  Unembedding,
} from "./engine/engine.js";
export { EngineError } from "./engine/engine-error.js";
export { openNodeChannel } from "./engine/onnx/node-channel.js";
export { type EngineOptions, onnxEngine, openCheckpoint } from "./engine/onnx/open.js";
export type { Runtime } from "./engine/runtime.js";
export { startTorchProcess } from "./engine/torch/node-process.js";
export { checkCheckpoint, openTorch, type TorchOptions } from "./engine/torch/open.js";
// Files and bytes
export type { ByteSource, FileFolder } from "./formats/byte-source.js";
export { InputError } from "./formats/input-error.js";
export { memoryFolder, memorySource } from "./formats/memory-source.js";
export { type Conversation, readPrompts } from "./formats/prompts.js";
export { readSafetensorsHeader, readTensorF32, writeSafetensors } from "./formats/safetensors.js";
// Methods: objectives to directions, and what those are made of
export { type CalibratedRadius, calibrateRadius } from "./methods/calibrate-radius.js";
export { type Control, randomControl } from "./methods/controls.js";
export { layerChangeOf } from "./methods/layer-change.js";
export type { FoundVector, Method, MethodInput, MethodOptions, MethodResult } from "./methods/method.js";
export { findMethod, methods } from "./methods/registry.js";
export { type LatentReading, readVectors, type VectorReading } from "./methods/vector-reading.js";
// Models: text to tokens, tokens to what an engine computes on
export { type ChatTemplate, FIXED_DATE, loadChatTemplate } from "./model/chat-template.js";
export type { Sequence } from "./model/sequence.js";
export { loadTokenizer, Tokenizer } from "./model/tokenizer.js";
export { type Positions, type RenderedPrompt, type RenderOptions, renderPrompt } from "./model/user-mask.js";
// Reports
export { auditReport } from "./report/audit-report.js";
export { findPage } from "./report/find-page.js";
export { readStoredAudit, type StoredAudit } from "./report/stored-audit.js";
// Sparse autoencoders
export { type CorpusReading, readCorpus } from "./sae/corpus-reading.js";
export { readLabels } from "./sae/label-files.js";
export type { Labels } from "./sae/labels.js";
export { CARD_SIZES, type LatentCard, latentCards } from "./sae/latent-card.js";
export { readLatents, readMaxima } from "./sae/readings.js";
export { describeSae, openSae, saeFormats } from "./sae/registry.js";
export type { Sae, SaeInfo, SparseLatents } from "./sae/sae.js";
export { openFile } from "./store/node-file-source.js";
export { openFolder } from "./store/node-folder.js";
