import { serve } from "./serve.ts";

serve(process.env).catch((error: unknown) => {
  process.exitCode = 1;
  if (error instanceof Error && error.name === "ConfigError") console.error(error.message);
  else throw error;
});
