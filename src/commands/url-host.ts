// The host of a URL as sockets and certificates name it.

/** IPv6 addresses stand in brackets in URLs only. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}
