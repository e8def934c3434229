import { defineErrors } from '@medley/kernel'

export const serverErrors = defineErrors('server', {
  'request.invalid': {
    status: 400,
    title: { en: 'The request is not valid', 'zh-CN': '请求有误' },
    hint: {
      en: 'Correct the fields named in `errors`; the form is in /api/docs',
      'zh-CN': '请按 `errors` 指出的字段修改；格式见 /api/docs',
    },
  },
  'request.unauthenticated': {
    status: 401,
    title: { en: 'Sign in first', 'zh-CN': '请先登录' },
    hint: {
      en: 'Open the one-time link printed at start, or make a new one with `medley sign-in-link`',
      'zh-CN': '请打开启动时打印的一次性链接，或用 `medley sign-in-link` 重新生成',
    },
  },
  'request.forbidden': {
    status: 403,
    title: { en: 'Your role may not do this ({permission})', 'zh-CN': '当前角色无此权限（{permission}）' },
    hint: { en: 'Ask an operator for the role that may', 'zh-CN': '请联系运营人员授予相应角色' },
  },
  'request.foreign-origin': {
    status: 403,
    title: { en: 'This change comes from another site', 'zh-CN': '该操作来自其他站点' },
    hint: {
      en: 'Use the console at its own address, or send a bearer token. Behind a proxy set MEDLEY_PUBLIC_URL',
      'zh-CN': '请在控制台自身的地址操作，或改用 Bearer 令牌；经代理访问时请设置 MEDLEY_PUBLIC_URL',
    },
  },
  'request.not-json': {
    status: 415,
    title: { en: 'The body must be JSON', 'zh-CN': '请求体必须是 JSON' },
    hint: { en: 'Send it with Content-Type: application/json', 'zh-CN': '请加上 Content-Type: application/json' },
  },
  'request.too-large': {
    status: 413,
    title: { en: 'The body is larger than {largest}', 'zh-CN': '请求体超过 {largest}' },
    hint: { en: 'Send less at once', 'zh-CN': '请减少单次发送的内容' },
  },
  'route.unknown': {
    status: 404,
    title: { en: 'There is nothing at this address', 'zh-CN': '该地址不存在' },
    hint: { en: 'The addresses there are: /api/docs', 'zh-CN': '可用地址见 /api/docs' },
  },
  'route.method': {
    status: 405,
    title: { en: 'This address takes {allowed}', 'zh-CN': '该地址只接受 {allowed}' },
    hint: { en: 'What each address takes: /api/docs', 'zh-CN': '各地址支持的方法见 /api/docs' },
  },
  'sign-in.link-spent': {
    status: 401,
    title: { en: 'This link was used already, or is too old', 'zh-CN': '该链接已使用或已过期' },
    hint: { en: 'Make a new one with `medley sign-in-link`', 'zh-CN': '请运行 `medley sign-in-link` 重新生成' },
  },
  'sign-in.refused': {
    status: 401,
    title: { en: 'E-mail address or password is wrong', 'zh-CN': '邮箱或密码不正确' },
    hint: { en: 'Try again, or ask an operator for a one-time link', 'zh-CN': '请重试，或向运营人员索取一次性链接' },
  },
  'sign-in.not-allowed': {
    status: 403,
    title: { en: 'You may not do this', 'zh-CN': '您无权执行此操作' },
    hint: { en: 'Ask an operator for the role that may', 'zh-CN': '请联系运营人员授予相应角色' },
  },
  'sign-in.too-many': {
    status: 429,
    title: { en: 'Too many attempts', 'zh-CN': '尝试次数过多' },
    hint: { en: 'Wait a minute, then try again', 'zh-CN': '请一分钟后再试' },
  },
  'operation.unknown': {
    status: 404,
    title: { en: 'There is no operation {id}', 'zh-CN': '没有这个操作：{id}' },
    hint: { en: 'Start it again', 'zh-CN': '请重新发起' },
  },
  'idempotency.key-invalid': {
    status: 400,
    title: {
      en: 'Idempotency-Key must have 1 to {longest} characters',
      'zh-CN': 'Idempotency-Key 长度须为 1 至 {longest} 个字符',
    },
    hint: { en: 'Send a fresh UUID for each new request', 'zh-CN': '每个新请求请使用新的 UUID' },
  },
  'idempotency.running': {
    status: 409,
    title: { en: 'The first request with this key is still running', 'zh-CN': '使用该键的首个请求仍在执行' },
    hint: { en: 'Repeat it in some seconds', 'zh-CN': '请几秒后重试' },
  },
  'idempotency.other-request': {
    status: 422,
    title: { en: 'This key was used for another request', 'zh-CN': '该键已用于另一个请求' },
    hint: { en: 'Use a fresh key for each new request', 'zh-CN': '每个新请求请使用新的键' },
  },
  'idempotency.secret-shown': {
    status: 409,
    title: { en: 'This was done; its secret was shown once', 'zh-CN': '该操作已完成，密钥只显示过一次' },
    hint: {
      en: 'If you did not get it, revoke the key and create another',
      'zh-CN': '若未收到，请吊销该密钥并重新创建',
    },
  },
  'gateway.unreachable': {
    status: 503,
    title: { en: 'The gateway does not answer', 'zh-CN': '网关没有响应' },
    hint: { en: 'It is restarted by itself; try again in some seconds', 'zh-CN': '网关会自动重启，请稍后再试' },
  },
  'model.not-ready': {
    status: 409,
    title: { en: 'There is no model to measure with yet', 'zh-CN': '还没有可用于测评的模型' },
    hint: {
      en: 'Wait until the starter model is fetched, or see `medley doctor`',
      'zh-CN': '请等待初始模型就绪，或运行 `medley doctor`',
    },
  },
  'proving.failed': {
    status: 500,
    title: { en: 'The measurement ended without a result', 'zh-CN': '测评没有得出结果' },
    hint: {
      en: 'Repeat it with `medley prove` when the machine is quiet',
      'zh-CN': '请在机器空闲时用 `medley prove` 重新测评',
    },
  },
  'proving.running': {
    status: 409,
    title: { en: 'This chip is being measured for another tenant', 'zh-CN': '其他租户正在测评该芯片' },
    hint: { en: 'Try again in some minutes', 'zh-CN': '请几分钟后重试' },
  },
  'deployment.failed': {
    status: 500,
    title: { en: 'The model could not be deployed ({code})', 'zh-CN': '模型部署失败（{code}）' },
    hint: {
      en: 'See the deployment in the console; its replica names the reason',
      'zh-CN': '请在控制台查看该部署，副本上注明了原因',
    },
  },
  unexpected: {
    status: 500,
    title: { en: 'Something failed inside Medley', 'zh-CN': '系统内部错误' },
    hint: {
      en: 'Try again; if it stays, send the request id with the server log',
      'zh-CN': '请重试；若仍失败，请附上请求编号与服务日志反馈',
    },
  },
})
