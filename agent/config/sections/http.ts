import { z } from "zod";
import { live, setting } from "../setting.ts";

/** What is served to monitoring. */
export const http = z.strictObject({
  listen: setting(
    z.string().regex(/^.+:\d{1,5}$/),
    "Address of /metrics, /healthz and /readyz. Off the loopback interface it needs a token.",
    "127.0.0.1:9475",
  ),
  tokenFile: setting(
    z.string().min(1).optional(),
    "File whose first line is the token that clients send as `Authorization: Bearer`.",
    "/run/credentials/ohmwatch.service/http",
  ),
  staleSeconds: live(
    setting(
      z.number().positive().optional(),
      "How old the last message of a stream may be for /readyz; without it any age.",
      60,
      "s",
    ),
  ),
});
