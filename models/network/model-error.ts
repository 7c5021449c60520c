/** A model that cannot be used: its file is broken, its shapes do not fit, or it asks for what we do not have. */
export class ModelError extends Error {
  override readonly name = "ModelError";
}
