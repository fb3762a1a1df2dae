/** A line on stderr every fifty steps of a training. */
export function logSteps({ step, steps, loss, secondsLeft }) {
  if (step % 50 === 0)
    process.stderr.write(`step ${step} of ${steps}: loss ${loss.toFixed(3)}, ${secondsLeft.toFixed(0)} s left\n`);
}
