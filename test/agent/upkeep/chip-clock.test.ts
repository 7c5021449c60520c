import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ChipClock, type ChipClockOptions } from "../../../agent/upkeep/chip-clock.ts";

/** Two clocks that a test turns. */
const clocks = (wallMs: number) => {
  const now = { wallMs, steadyMs: 5000 };
  return {
    run: (seconds: number) => {
      now.wallMs += 1000 * seconds;
      now.steadyMs += 1000 * seconds;
    },
    setCalendar: (seconds: number) => {
      now.wallMs += 1000 * seconds;
    },
    time: { wallMs: () => now.wallMs, steadyMs: () => now.steadyMs },
  };
};
const day = 86_400;
const year = 365 * day;
const noon = Date.UTC(2026, 10, 25, 12);
const clockOf = (world: ReturnType<typeof clocks>, some: Partial<ChipClockOptions> = {}) =>
  new ChipClock({
    anchor: { chipSeconds: 1000, wallMs: noon },
    rate: 1,
    maxAbsenceSeconds: 2 * year,
    time: world.time,
    ...some,
  });

describe("The clock of a chip", () => {
  it("goes on from what was stored, at its rate", () => {
    const world = clocks(noon);
    const clock = clockOf(world, { rate: day });
    world.run(3);
    expect(clock.seconds).toBe(1000 + 3 * day);
    expect(clock.absentSeconds).toBe(0);
  });

  it("counts the time that the power was off", () => {
    const clock = clockOf(clocks(noon + 90 * day * 1000));
    expect(clock.seconds).toBe(1000 + 90 * day);
    expect(clock.absentSeconds).toBe(90 * day);
  });

  it("counts the time that the machine slept", () => {
    const world = clocks(noon);
    const clock = clockOf(world);
    world.run(60);
    world.setCalendar(8 * 3600);
    expect(clock.seconds).toBe(1060 + 8 * 3600);
  });

  it("without a battery goes by the running time, and makes up for the rest when the calendar is set", () => {
    const world = clocks(0);
    const steps: string[] = [];
    const clock = clockOf(world, { onStep: (calendar) => steps.push(calendar) });
    world.run(100);
    expect(clock.seconds).toBe(1100);
    world.setCalendar(noon / 1000 + 30 * day);
    expect(clock.seconds).toBeCloseTo(1000 + 30 * day + 100, 6);
    world.run(10);
    expect(clock.seconds).toBeCloseTo(1000 + 30 * day + 110, 6);
    expect(steps).toEqual(["behind"]);
  });

  it("does not believe a calendar that is years ahead, and says so once", () => {
    const world = clocks(noon);
    const steps: string[] = [];
    const clock = clockOf(world, { onStep: (calendar, sentence) => steps.push(`${calendar}: ${sentence}`) });
    world.setCalendar(70 * year);
    world.run(5);
    expect(clock.seconds).toBe(1005);
    world.run(5);
    expect(clock.seconds).toBe(1010);
    world.setCalendar(-70 * year);
    expect(clock.seconds).toBe(1010);
    expect(steps).toHaveLength(1);
    expect(steps[0]).toMatch(/^ahead: The calendar is \d+ s ahead of 2026-11-25T12:00:05/);
  });

  it("counts no hour twice when the calendar is set back and forth", () => {
    const world = clocks(noon);
    const clock = clockOf(world);
    world.setCalendar(-3600);
    world.run(100);
    expect(clock.seconds).toBe(1100);
    world.setCalendar(3600);
    expect(clock.seconds).toBe(1100);
  });

  it("never goes back, and a clock from its anchor goes on where it stood, whatever the calendar does", () => {
    const steps = fc.array(
      fc.tuple(fc.constantFrom("run" as const, "setCalendar" as const), fc.integer({ min: -1e7, max: 1e7 })),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(steps, fc.constantFrom(1, 7, day), (moves, rate) => {
        const world = clocks(noon);
        let clock = clockOf(world, { rate });
        let before = clock.seconds;
        for (const [move, seconds] of moves) {
          world[move](move === "run" ? Math.abs(seconds) : seconds);
          const now = clock.seconds;
          expect(now).toBeGreaterThanOrEqual(before);
          const { anchor } = clock;
          clock = clockOf(world, { rate, anchor });
          expect(clock.seconds).toBeCloseTo(now, 3);
          before = now;
        }
      }),
    );
  });
});
