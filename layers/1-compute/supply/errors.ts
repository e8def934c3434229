import { defineErrors } from '@medley/kernel'

export const errors = defineErrors('supply', {
  'cursor.invalid': {
    status: 400,
    title: { en: 'This is not a cursor of this list', 'zh-CN': '这不是本列表的分页游标' },
    hint: {
      en: 'Take `nextCursor` of the page before as it is, or leave the cursor out to begin anew.',
      'zh-CN': '请原样使用上一页返回的 `nextCursor`；去掉游标则从头开始。',
    },
  },
  'record.simulated': {
    status: 422,
    title: { en: 'This usage names a simulated chip ({chip})', 'zh-CN': '该用量记录引用了仿真芯片（{chip}）' },
    hint: {
      en: 'Nothing can run on a chip without hardware: it is kept in quarantine and never billed. See who reported it.',
      'zh-CN': '仿真芯片没有硬件，不可能产生用量：该记录已隔离，不会计费。请核查上报来源。',
    },
  },
  'sheet.unknown': {
    status: 404,
    title: { en: 'No sheet was given for {product} of {vendor}', 'zh-CN': '没有为 {vendor} 的 {product} 填写过规格' },
    hint: {
      en: 'Only a sheet that an operator gave can be deleted; the built-in ones stay.',
      'zh-CN': '只能删除运维人员填写的规格，内置规格不能删除。',
    },
  },
  'sheet.invalid': {
    status: 422,
    title: { en: 'This sheet of {product} cannot be used', 'zh-CN': '{product} 的规格填写有误' },
    hint: {
      en: 'Peaks are tera-operations a second of one chip, each dtype once; leave out what is not known.',
      'zh-CN': '峰值为单颗芯片每秒万亿次运算（TOPS），每种精度只填一次；未知的数据请留空，不要填 0。',
    },
  },
})
