// Looks at what a client of the JavaScript SDK really sends and gets, beneath the SDK's own reading of it.

// The set of "VERSION CONTENT-TYPE" of the client's requests from now on. The version is what the socket's protocol is called in ALPN: h2
// over TLS, h2c with prior knowledge, http/1.1.
exports.watch = (client) => {
  const seen = new Set();
  const look = (next) => async (call) => {
    const result = await next(call);
    const {body} = result.response;
    seen.add(`${body.session?.alpnProtocol ?? `http/${body.httpVersion}`} ${call.request.headers['content-type']}`);
    return result;
  };
  client.middlewareStack.add(look, {step: 'deserialize', priority: 'low'});  // the SDK has not read the body there
  return seen;
};
