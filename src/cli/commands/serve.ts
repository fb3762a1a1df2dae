/** `serve`: audits' run folders as pages in a browser on this machine, until it is stopped. */
import { Command } from "commander";
import { serveLocally } from "../runs/local-server.js";
import { runPage } from "../runs/run-pages.js";
import type { Io } from "../terminal/io.js";
import { jsonOption, type OutputFlags, wholeNumber } from "../terminal/options.js";
import { packageVersion } from "../terminal/package-files.js";

const FOLDER = "runs";
const PORT = 4680;
const MAX_PORT = 65535;

interface Flags extends OutputFlags {
  readonly port: number;
}

export function serveCommand(io: Io): Command {
  const command = new Command("serve")
    .description("audits' run folders as pages in the browser, on this machine alone")
    .argument("[folder]", "where run folders lie", FOLDER)
    .option("--port <n>", "port on 127.0.0.1; 0: any free one", wholeNumber(0, MAX_PORT), PORT);
  return jsonOption(command).action(async (folder: string, { port, json }: Flags) => {
    const pageAt = (path: string) => runPage(folder, path, `antecedent ${packageVersion()}`);
    await pageAt("/"); // what is wrong with the folder is said before anybody opens a page
    const { url, closed } = await serveLocally(pageAt, port, io.signal, (line) => io.log(line));
    io.result(
      json,
      () => ({ url, folder }),
      () => `${url} shows the audits in ${folder}; Ctrl-C ends it`,
    );
    await closed;
  });
}
