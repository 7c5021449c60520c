declare module "postject" {
  /** Put a resource into an executable, in place. */
  export const inject: (
    file: string,
    name: string,
    data: Buffer,
    options: { readonly sentinelFuse: string },
  ) => Promise<void>;
}
