import { AppError, defineErrors, type Locale, toProblem } from '@medley/kernel'

/** What a client of `/v1` may be told. The part after the dot is the `code` of OpenAI's error object. */
export const gatewayErrors = defineErrors('gateway', {
  invalid_api_key: {
    status: 401,
    title: { en: 'The API key is missing, unknown or expired.', 'zh-CN': '缺少 API 密钥，或密钥不存在、已过期。' },
    hint: {
      en: 'Send "Authorization: Bearer mk_..."; create a key on the keys page or with "medley keys create".',
      'zh-CN': '请在请求头写 Authorization: Bearer mk_...；可在“密钥”页或用 medley keys create 新建。',
    },
  },
  missing_scope: {
    status: 403,
    title: { en: 'This key may not be used for inference.', 'zh-CN': '此密钥没有推理权限。' },
    hint: { en: 'Use a key that has the scope "inference".', 'zh-CN': '请换用带有 inference 权限的密钥。' },
  },
  unknown_url: {
    status: 404,
    title: { en: 'Unknown request URL: {method} {path}.', 'zh-CN': '没有这个接口：{method} {path}。' },
    hint: {
      en: 'Served here: /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/models.',
      'zh-CN': '这里提供 /v1/chat/completions、/v1/completions、/v1/embeddings、/v1/models。',
    },
  },
  method_not_allowed: {
    status: 405,
    title: { en: '{path} does not take {method}.', 'zh-CN': '{path} 不支持 {method}。' },
    hint: { en: 'Use {allowed}.', 'zh-CN': '请用 {allowed}。' },
  },
  body_too_large: {
    status: 413,
    title: { en: 'The request body is larger than {limitBytes} bytes.', 'zh-CN': '请求体超过 {limitBytes} 字节。' },
    hint: { en: 'Send less, or raise maxBodyBytes.', 'zh-CN': '请缩短内容，或由管理员调大 maxBodyBytes。' },
  },
  unsupported_media_type: {
    status: 415,
    title: {
      en: 'The request body must be plain JSON, not {received}.',
      'zh-CN': '请求体须为 JSON，收到的是 {received}。',
    },
    hint: { en: 'Send "Content-Type: application/json".', 'zh-CN': '请设置 Content-Type: application/json。' },
  },
  bad_request: {
    status: 400,
    title: { en: 'The request is not valid HTTP: {problem}.', 'zh-CN': '请求不符合 HTTP 规范：{problem}。' },
    hint: { en: 'Check the client or the proxy in between.', 'zh-CN': '请检查客户端或中间的代理。' },
  },
  headers_too_large: {
    status: 431,
    title: { en: 'The request headers are too large.', 'zh-CN': '请求头过大。' },
    hint: { en: 'Send fewer or shorter headers: 16 KiB in all.', 'zh-CN': '请减少或缩短请求头，总共不超过 16 KiB。' },
  },
  request_timeout: {
    status: 408,
    title: { en: 'The request did not arrive in time.', 'zh-CN': '请求未能在限时内收完。' },
    hint: { en: 'Send it again over a faster connection, or send less.', 'zh-CN': '请换更快的网络重发，或缩短内容。' },
  },
  invalid_json: {
    status: 400,
    title: {
      en: 'The request body is not valid JSON: {problem} at line {line}, column {column} (offset {offset}).',
      'zh-CN': '请求体不是合法的 JSON：第 {line} 行第 {column} 列（偏移 {offset}）{problem}。',
    },
    hint: { en: 'Correct the JSON at that place.', 'zh-CN': '请改正该处的 JSON。' },
  },
  invalid_body: {
    status: 400,
    title: { en: 'The request body must be a JSON object.', 'zh-CN': '请求体须为 JSON 对象。' },
    hint: { en: 'Wrap the parameters in { }.', 'zh-CN': '请把参数放进 { } 里。' },
  },
  missing_model: {
    status: 400,
    title: { en: 'You must provide a model parameter (a string).', 'zh-CN': '缺少 model 参数（字符串）。' },
    hint: { en: 'Models here: {available}.', 'zh-CN': '这里有：{available}。' },
  },
  model_not_found: {
    status: 404,
    title: { en: 'The model "{model}" does not exist here.', 'zh-CN': '这里没有模型“{model}”。' },
    hint: { en: 'Models here: {available}.', 'zh-CN': '这里有：{available}。' },
  },
  capability_missing: {
    status: 400,
    title: { en: 'The model "{model}" does not serve {path}.', 'zh-CN': '模型“{model}”不支持 {path}。' },
    hint: { en: 'Models that do: {available}.', 'zh-CN': '支持的模型：{available}。' },
  },
  no_replica: {
    status: 503,
    title: {
      en: 'No replica of "{model}" became ready within {seconds} s.',
      'zh-CN': '等了 {seconds} 秒，模型“{model}”仍没有就绪的副本。',
    },
    hint: { en: 'Try again after the time in Retry-After.', 'zh-CN': '请按 Retry-After 所示时间后重试。' },
  },
  too_many_waiting: {
    status: 503,
    title: {
      en: 'Too many requests wait for a replica of "{model}" already.',
      'zh-CN': '等待模型“{model}”副本的请求过多。',
    },
    hint: { en: 'Try again after the time in Retry-After.', 'zh-CN': '请按 Retry-After 所示时间后重试。' },
  },
  engine_lost: {
    status: 502,
    title: {
      en: 'The engine stopped before the answer was complete.',
      'zh-CN': '推理引擎在回答完成前中断。',
    },
    hint: { en: 'The answer is incomplete; send the request again.', 'zh-CN': '回答不完整，请重新发送。' },
  },
  answer_too_large: {
    status: 502,
    title: { en: 'The answer is larger than {limitBytes} bytes.', 'zh-CN': '回答超过 {limitBytes} 字节。' },
    hint: { en: 'Ask for less at once, or stream.', 'zh-CN': '请减少单次内容，或改用流式。' },
  },
  not_ready: {
    status: 503,
    title: {
      en: 'The gateway has not yet heard which keys and models exist.',
      'zh-CN': '网关尚未取得密钥和模型清单。',
    },
    hint: { en: 'Try again in a moment.', 'zh-CN': '请稍后重试。' },
  },
  metering_unavailable: {
    status: 503,
    title: { en: 'Usage cannot be recorded, so nothing is served.', 'zh-CN': '用量无法记账，暂停服务。' },
    hint: { en: 'The operator must free the disk of the gateway.', 'zh-CN': '请管理员检查网关所在磁盘。' },
  },
  stopping: {
    status: 503,
    title: { en: 'The gateway is stopping.', 'zh-CN': '网关正在停止。' },
    hint: { en: 'Send the request again.', 'zh-CN': '请重新发送。' },
  },
  internal: {
    status: 500,
    title: { en: 'The gateway failed on this request.', 'zh-CN': '网关处理此请求时出错。' },
    hint: { en: 'The request id leads to the cause in the log.', 'zh-CN': '可凭请求编号在日志中查原因。' },
  },
})

export interface OpenAiError {
  readonly error: {
    readonly message: string
    readonly type: string
    readonly param: string | null
    readonly code: string
  }
}

const PARAM_BY_CODE: Readonly<Record<string, string>> = {
  missing_model: 'model',
  model_not_found: 'model',
  capability_missing: 'model',
}

/** Every thrown thing becomes an error of the table exactly here. */
export function asGatewayError(error: unknown): AppError {
  return error instanceof AppError ? error : gatewayErrors.internal({}, { cause: error })
}

export function errorCode(error: AppError): string {
  return error.code.slice(error.code.indexOf('.') + 1)
}

/** OpenAI's error object; its `type` follows what OpenAI itself sends for that status. */
export function toOpenAiError(error: AppError, locale: Locale): OpenAiError {
  const problem = toProblem(error, locale)
  const code = errorCode(error)
  return {
    error: {
      message: `${problem.title} ${problem.hint}`,
      type: typeOf(code, problem.status),
      param: PARAM_BY_CODE[code] ?? null,
      code,
    },
  }
}

function typeOf(code: string, status: number): string {
  if (code === 'engine_lost') return 'upstream_error'
  if (status === 401) return 'authentication_error'
  if (status === 403) return 'permission_error'
  return status < 500 ? 'invalid_request_error' : 'server_error'
}
