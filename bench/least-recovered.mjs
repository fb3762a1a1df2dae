// Exits with 1 unless at least so many rows of recovery benchmarks were recovered.
// usage: node bench/least-recovered.mjs LEAST RECOVERY.json…
import { readFileSync } from "node:fs";

const [least, ...files] = process.argv.slice(2);
const rows = files.flatMap((file) => JSON.parse(readFileSync(file, "utf8")).rows);
const recovered = rows.filter((row) => row.recovered).length;
console.log(`${recovered} of ${rows.length} recovered; at least ${least} wanted`);
if (recovered < Number(least)) process.exitCode = 1;
