// Exits with 1 unless at least so many rows of a recovery benchmark were recovered.
// usage: node bench/least-recovered.mjs RECOVERY.json LEAST
import { readFileSync } from "node:fs";

const [file, least] = process.argv.slice(2);
const { rows } = JSON.parse(readFileSync(file, "utf8"));
const recovered = rows.filter((row) => row.recovered).length;
console.log(`${recovered} of ${rows.length} recovered; at least ${least} wanted`);
if (recovered < Number(least)) process.exitCode = 1;
