/** The Model Context Protocol over this process's stdin and stdout: commands as tools, called one after the other. */
import { McpServer, type ServerContext } from "@modelcontextprotocol/server";
import { StdioServerTransport, serveStdio } from "@modelcontextprotocol/server/stdio";
import { packageVersion } from "../terminal/package-files.js";
import { callCommand } from "./call-command.js";
import type { CommandTool } from "./command-tools.js";

const INSTRUCTIONS =
  "Antecedent recovers what triggers a known action (a text) of a language model: its backdoor. `audit` is the main job. Give it a model, an action and " +
  "ordinary prompts, or the name of an organism such as fruit-refusal, which ships with it. `find` reads single methods, `verify` tests a hypothesis. " +
  "A trigger is null where nothing was verified. Paths are meant from the folder in which the server was started.";

/** Serves the tools until the agent leaves; calls under way are stopped then. Rejects with the signal's reason where that ended it. */
export async function serveAgent(
  tools: readonly CommandTool[],
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<void> {
  const ended = new AbortController();
  const inTurn = oneAfterTheOther();
  const build = () => {
    const server = new McpServer(
      { name: "antecedent", version: packageVersion() },
      { capabilities: { tools: {} }, instructions: INSTRUCTIONS },
    );
    for (const { name, description, input, argv } of tools) {
      server.registerTool(name, { description, inputSchema: input }, async (given, context) => {
        const stopped = AbortSignal.any([ended.signal, context.mcpReq.signal]);
        const { texts, failed } = await inTurn(() => callCommand(argv(given), stopped, progressOf(context)));
        return { content: texts.map((text) => ({ type: "text" as const, text })), isError: failed };
      });
    }
    return server;
  };
  const transport = new StdioServerTransport();
  await new Promise<void>((resolve) => {
    const handle = serveStdio(build, { transport, onerror: (error) => log(error.message) });
    const close = transport.onclose;
    transport.onclose = () => {
      close?.();
      resolve();
    };
    const stop = () => void handle.close().then(resolve, resolve);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  ended.abort();
  await inTurn(async () => {});
  signal.throwIfAborted();
}

/** Passes lines of progress on, where the agent has asked for them. */
function progressOf({ mcpReq }: ServerContext): (line: string) => void {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return () => {};
  let progress = 0;
  return (message) => {
    progress++;
    // The agent may have left.
    mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, message } }).catch(() => {});
  };
}

/** Runs jobs in the order given: each takes the whole machine. */
function oneAfterTheOther(): <T>(job: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (job) => {
    const mine = last.then(job);
    last = mine.catch(() => {});
    return mine;
  };
}
