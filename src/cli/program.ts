/** The command line's tree of commands. */
import { Command } from "commander";
import { commands } from "./commands/index.js";
import { fetchNamed } from "./model/hub.js";
import type { Io } from "./terminal/io.js";
import { packageVersion } from "./terminal/package-files.js";

/** The program with every command, ready to parse. Wrong usage throws CommanderError and prints nothing. */
export function buildProgram(io: Io): Command {
  const program = new Command("antecedent")
    .description("Given what a language model does, recover when it does it.")
    .version(packageVersion(), "-V, --version", "print the version");
  program.hook("preAction", (_, command) => fetchNamed(io, command.opts()));
  for (const command of commands) program.addCommand(command(io));
  everyCommand(program, (command) => {
    command.exitOverride();
    command.showSuggestionAfterError(true);
    command.allowExcessArguments(false);
    // Errors are thrown and printed in one place; what else would go to stderr is the help of a command that has commands.
    command.configureOutput({
      writeOut: (text) => io.print(text),
      writeErr: (text) => io.print(text),
      outputError: () => {},
    });
  });
  return program;
}

function everyCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const child of command.commands) everyCommand(child, visit);
}
