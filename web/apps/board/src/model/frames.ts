/** Does a thing once per frame, however often it is asked for; also where nobody looks and there are no frames. */

const UNSEEN = 250; // ms: a hidden page gets no frames, and its title counts new orders all the same

export type Schedule = (work: () => void) => () => void;

export const perFrame: Schedule = (work) => {
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const run = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    timer = undefined;
    work();
  };
  return () => {
    if (timer !== undefined) return;
    timer = setTimeout(run, UNSEEN);
    frame = requestAnimationFrame(run);
  };
};
