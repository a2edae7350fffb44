// Looks at what a client of the JavaScript SDK really sends and gets, beneath the SDK's own reading of it.
const {appendFileSync} = require('node:fs');
const {Readable} = require('node:stream');

// The set of "VERSION CONTENT-TYPE" of the client's requests from now on. The version is what the socket's protocol is called in ALPN: h2
// over TLS, h2c with prior knowledge, http/1.1. Answers but streams are written to the file COMPAT_ANSWERS, for model_check.py.
exports.watch = (client) => {
  const seen = new Set();
  const look = (next) => async (call) => {
    const result = await next(call);
    const {body, headers} = result.response;
    seen.add(`${body.session?.alpnProtocol ?? `http/${body.httpVersion}`} ${call.request.headers['content-type']}`);
    if (headers['content-type'] !== 'application/vnd.amazon.eventstream') result.response.body = await write(call.request, result.response);
    return result;
  };
  client.middlewareStack.add(look, {step: 'deserialize', priority: 'low'});  // the SDK has not read the body there
  return seen;
};

// Returns the body, to be read once more.
async function write(request, {statusCode, headers, body}) {
  const bytes = Buffer.concat(await body.toArray());
  const answer = {target: request.headers['x-amz-target'], status: statusCode, type: headers['content-type'] ?? '', body: bytes.toString('base64')};
  appendFileSync(process.env.COMPAT_ANSWERS, JSON.stringify(answer) + '\n');
  return Readable.from(bytes.length > 0 ? [bytes] : []);
}
