/** `mcp`: the commands as tools of an agent, over stdin and stdout, until it leaves. */
import { Command } from "commander";
import { InputError } from "../../formats/input-error.js";
import { serveAgent } from "../mcp/agent-server.js";
import { commandTools } from "../mcp/command-tools.js";
import type { Io } from "../terminal/io.js";

export function mcpCommand(io: Io): Command {
  const command = new Command("mcp")
    .description("the other commands as tools of an agent: the Model Context Protocol on stdin and stdout")
    .option("--tools <names>", "these alone, separated by commas, such as audit,verify,runs_list; default: all");
  return command.action(async ({ tools: names }: { readonly tools?: string }) => {
    const all = commandTools(command.parent as Command);
    const wanted = names?.split(",").map((name) => name.trim()) ?? all.map(({ name }) => name);
    const known = new Map(all.map((tool) => [tool.name, tool]));
    const tools = [...new Set(wanted)].map((name) => {
      const tool = known.get(name);
      if (tool === undefined)
        throw new InputError(`--tools: no tool is called "${name}"; there are ${[...known.keys()].join(", ")}`);
      return tool;
    });
    await serveAgent(tools, io.signal, (line) => io.log(line));
  });
}
