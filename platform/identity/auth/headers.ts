/** Carries the peer's address from our own server to better-auth's rate limits; taken out of what clients send. */
export const CLIENT_ADDRESS_HEADER = 'x-medley-client-address'
