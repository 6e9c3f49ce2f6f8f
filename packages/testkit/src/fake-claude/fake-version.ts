/** The version that the fake pretends to be: the one whose lines it copies. */
export const FAKE_VERSION = "2.1.330";
