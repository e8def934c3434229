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
  'channel.version': {
    status: 426,
    title: { en: 'The agent speaks another version of the channel', 'zh-CN': 'Agent 的通道协议版本不匹配' },
    hint: { en: 'Install the agent of this server’s release', 'zh-CN': '请安装与服务器同版本的 Agent' },
  },
  'channel.stranger': {
    status: 403,
    title: { en: 'This node is not known here or did not prove its key', 'zh-CN': '未知节点，或密钥验证未通过' },
    hint: { en: 'Join it again with a new join token', 'zh-CN': '请用新的接入令牌重新接入' },
  },
  'channel.revoked': {
    status: 403,
    title: { en: 'This node was revoked', 'zh-CN': '该节点已被吊销' },
    hint: {
      en: 'If it is to come back, an operator must let it join as a new node',
      'zh-CN': '如需恢复，请由运营人员将其作为新节点重新接入',
    },
  },
  'channel.in-use': {
    status: 409,
    title: { en: 'Another agent is connected as this node', 'zh-CN': '已有另一个 Agent 以该节点身份在线' },
    hint: {
      en: 'Stop one of the two, or give the copied node a key of its own by joining it anew',
      'zh-CN': '请停掉其中一个；若节点是克隆而来，请重新接入以取得独立密钥',
    },
  },
  'channel.replaced': {
    status: 409,
    title: { en: 'A newer connection of this node took over', 'zh-CN': '该节点的新连接已接管' },
    hint: { en: 'Nothing to do', 'zh-CN': '无需处理' },
  },
  'channel.broken-frame': {
    status: 400,
    title: { en: 'The agent sent something that is not of the protocol', 'zh-CN': 'Agent 发送的内容不符合协议' },
    hint: { en: 'Update the agent; see the server log', 'zh-CN': '请升级 Agent，并查看服务日志' },
  },
  'channel.late': {
    status: 408,
    title: { en: 'The agent did not introduce itself in time', 'zh-CN': 'Agent 未按时完成握手' },
    hint: { en: 'It dials again by itself', 'zh-CN': 'Agent 会自动重连' },
  },
  'channel.stopping': {
    status: 503,
    title: { en: 'The server is stopping', 'zh-CN': '服务器正在停止' },
    hint: { en: 'The agent dials again by itself', 'zh-CN': 'Agent 会自动重连' },
  },
  'channel.no-layout': {
    status: 409,
    title: { en: 'Samples came before their layout', 'zh-CN': '采样数据早于其布局说明' },
    hint: { en: 'The agent sends both again by itself', 'zh-CN': 'Agent 会自动重发' },
  },
  'join.too-many': {
    status: 429,
    title: { en: 'Too many refused attempts to join from this address', 'zh-CN': '该地址的接入失败次数过多' },
    hint: { en: 'Wait a minute and use a token that is still good', 'zh-CN': '请一分钟后换用有效的接入令牌' },
  },
  'join-token.for-all': {
    status: 403,
    title: {
      en: 'Only the centre may let nodes join for all tenants',
      'zh-CN': '只有算力中心可以接入供所有租户使用的节点',
    },
    hint: { en: 'Ask for a dedicated token: "dedicated": true', 'zh-CN': '请创建专属令牌："dedicated": true' },
  },
  'node.not-yours': {
    status: 403,
    title: { en: 'This node belongs to the centre', 'zh-CN': '该节点属于算力中心' },
    hint: { en: 'Ask the centre’s operator to change it', 'zh-CN': '请联系算力中心的运营人员操作' },
  },
  'node.own': {
    status: 409,
    title: { en: 'This node belongs to the factory itself', 'zh-CN': '该节点由工厂自身运行' },
    hint: { en: 'Stop the factory instead', 'zh-CN': '如需停用，请直接停止工厂' },
  },
  'centre.only': {
    status: 403,
    title: { en: 'Only the centre’s operator may change this', 'zh-CN': '仅算力中心的运营人员可以修改' },
    hint: {
      en: 'It holds for all tenants; ask the centre’s operator',
      'zh-CN': '此项对所有租户生效，请联系算力中心的运营人员',
    },
  },
  'chip.simulated': {
    status: 409,
    title: { en: 'This chip is simulated: there is nothing to run on', 'zh-CN': '该芯片为仿真芯片，无法运行任务' },
    hint: { en: 'Choose a chip of a real node', 'zh-CN': '请选择真实节点上的芯片' },
  },
  'chip.remote': {
    status: 409,
    title: {
      en: 'Chips of other machines cannot be measured yet',
      'zh-CN': '暂不支持测评其他机器上的芯片',
    },
    hint: { en: 'Choose a chip of the factory’s own node', 'zh-CN': '请选择本机节点上的芯片' },
  },
  'vendor.unknown': {
    status: 404,
    title: { en: 'There is no vendor {name}', 'zh-CN': '没有这个厂商：{name}' },
    hint: { en: 'The vendors there are: GET /api/v1/vendors', 'zh-CN': '可用厂商见 GET /api/v1/vendors' },
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
