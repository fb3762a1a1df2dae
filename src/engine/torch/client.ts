/** Requests to a PyTorch process and their answers, over a transport that is passed in. */
import { z } from "zod";
import { InputError } from "../../formats/input-error.js";
import { EngineError } from "../engine-error.js";
import { encodeFrame, type Frame, FrameReader, type FrameTensor } from "./frames.js";
import type { Transport, TransportEnd } from "./transport.js";

/** Version of the messages; python/antecedent_torch/server.py says the same. */
const PROTOCOL = 1;
/** A cold start imports torch and transformers from disk: half a minute on a slow one. */
const START_TIMEOUT_MS = 180_000;

const helloShape = z.object({
  antecedent: z.number(),
  python: z.string(),
  executable: z.string(),
  versions: z.record(z.string(), z.string().nullable()),
  cuda: z.array(z.string()),
});
const missingShape = z.object({ antecedent: z.number(), missing: z.string() });
const answerShape = z.union([
  z.object({ id: z.number(), answer: z.record(z.string(), z.unknown()) }),
  z.object({ id: z.number(), error: z.object({ kind: z.enum(["input", "memory", "failed"]), message: z.string() }) }),
]);

/** What the process has. */
export type TorchInstallation = Omit<z.infer<typeof helloShape>, "antecedent">;

export interface Answer {
  readonly answer: Readonly<Record<string, unknown>>;
  readonly tensors: Readonly<Record<string, FrameTensor>>;
}

interface Caller {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

export class TorchClient {
  private readonly frames = new FrameReader();
  private readonly waiting = new Map<number, Caller>();
  private next = 0;
  private ended: Error | null = null;
  private onHello: ((frame: Frame) => void) | null = null;

  private constructor(private readonly transport: Transport) {}

  /**
   * Waits for the process's first message.
   * @throws InputError when torch or transformers are missing or too old, or `python` cannot be started.
   */
  static async connect(
    transport: Transport,
    python: string,
  ): Promise<{ client: TorchClient; installation: TorchInstallation }> {
    const client = new TorchClient(transport);
    const first = await new Promise<Frame>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new EngineError(`${python}: the torch program did not start within ${START_TIMEOUT_MS / 1000} s`)),
        START_TIMEOUT_MS,
      );
      const settled = () => {
        clearTimeout(timer);
        client.onHello = null;
      };
      client.onHello = (frame) => {
        settled();
        resolve(frame);
      };
      transport.hold(true);
      transport.listen(
        (bytes) => client.take(bytes),
        (end) => {
          settled();
          client.fail(endError(end));
          const said = end.stderr.at(-1);
          reject(
            new InputError(`--engine torch: ${python} ${end.how}${said ? `: ${said.slice(0, 200)}` : ""}; ${FIX}`),
          );
        },
      );
    }).catch(async (error: unknown) => {
      await client.close();
      throw error;
    });
    transport.hold(false);
    const missing = missingShape.safeParse(first.header);
    if (missing.success) {
      await client.close();
      throw new InputError(`--engine torch: ${missing.data.missing} with --python PATH or ANTECEDENT_PYTHON`);
    }
    const hello = helloShape.safeParse(first.header);
    if (!hello.success || hello.data.antecedent !== PROTOCOL) {
      await client.close();
      throw new EngineError(`${python}: the torch program speaks another protocol; install the package again`);
    }
    const { antecedent: _, ...installation } = hello.data;
    return { client, installation };
  }

  /** Asks for one operation. InputError for what the input caused, else EngineError. */
  async call(
    op: string,
    header: Readonly<Record<string, unknown>> = {},
    tensors: Readonly<Record<string, FrameTensor>> = {},
  ): Promise<Answer> {
    if (this.ended) throw this.ended;
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.transport.hold(true);
      this.transport.send(encodeFrame({ header: { ...header, id, op }, tensors }));
    });
  }

  async close(): Promise<void> {
    this.fail(new EngineError("the torch engine is closed"));
    await this.transport.close();
  }

  private take(bytes: Uint8Array): void {
    try {
      for (const frame of this.frames.push(bytes)) {
        if (this.onHello) this.onHello(frame);
        else this.answer(frame);
      }
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
      void this.transport.close();
    }
  }

  private answer({ header, tensors }: Frame): void {
    const parsed = answerShape.safeParse(header);
    if (!parsed.success) throw new EngineError("the torch process sent an answer of unknown form");
    const caller = this.waiting.get(parsed.data.id);
    this.waiting.delete(parsed.data.id);
    if (this.waiting.size === 0) this.transport.hold(false);
    if ("answer" in parsed.data) caller?.resolve({ answer: parsed.data.answer, tensors });
    else caller?.reject(asError(parsed.data.error));
  }

  private fail(error: Error): void {
    this.ended ??= error;
    for (const { reject } of this.waiting.values()) reject(this.ended);
    this.waiting.clear();
  }
}

const FIX = "name a Python that has torch and transformers with --python PATH or ANTECEDENT_PYTHON";

function asError({ kind, message }: { kind: "input" | "memory" | "failed"; message: string }): Error {
  if (kind === "input") return new InputError(message);
  if (kind === "memory")
    return new EngineError(`${message}; use --dtype bf16, --quantize nf4, more GPUs, or fewer or shorter prompts`);
  return new EngineError(`torch: ${message}`);
}

function endError({ how, stderr }: TransportEnd): EngineError {
  const said = stderr.at(-1);
  return new EngineError(`the torch process ${how}${said ? `; it said last: ${said}` : ""}`, stderr);
}
