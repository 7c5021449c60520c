/** States of an alarm by ISA-18.2-2016, figure 3: is the condition there, has a person seen it, is it kept silent? */
export const alarmStates = [
  "normal",
  "active-unacknowledged",
  "active-acknowledged",
  "returned-unacknowledged",
  "shelved",
  "suppressed",
] as const;
export type AlarmStateName = (typeof alarmStates)[number];

/**
 * What can happen to an alarm. `raise` and `return`: the condition came, went. `acknowledge`, `shelve`: a person did.
 * `suppress`: a rule did. `release-…`: shelving or suppression ended, with the condition there or gone.
 */
export type AlarmInput =
  | "raise"
  | "return"
  | "acknowledge"
  | "shelve"
  | "suppress"
  | "release-active"
  | "release-returned";

/** What each state becomes; an input that is not there leaves it as it is. docs/operations.md prints this table. */
export const alarmTransitions: Readonly<Record<AlarmStateName, Readonly<Partial<Record<AlarmInput, AlarmStateName>>>>> =
  {
    normal: { raise: "active-unacknowledged", suppress: "suppressed" },
    "active-unacknowledged": {
      return: "returned-unacknowledged",
      acknowledge: "active-acknowledged",
      shelve: "shelved",
      suppress: "suppressed",
    },
    "active-acknowledged": { return: "normal", shelve: "shelved", suppress: "suppressed" },
    "returned-unacknowledged": {
      raise: "active-unacknowledged",
      acknowledge: "normal",
      shelve: "shelved",
    },
    shelved: { "release-active": "active-unacknowledged", "release-returned": "normal" },
    suppressed: { "release-active": "active-unacknowledged", "release-returned": "normal", shelve: "shelved" },
  };

/** The state after an input. */
export const stepAlarm = (state: AlarmStateName, input: AlarmInput): AlarmStateName =>
  alarmTransitions[state][input] ?? state;

/** Whether an alarm in this state is kept from people. */
export const isSilent = (state: AlarmStateName): boolean => state === "shelved" || state === "suppressed";
