import { Input, Select } from 'antd'

interface FilterProps {
  readonly label: string
  readonly value: string | undefined
  readonly onChange: (value: string) => void
}

/** A text to search by; taken when the reader presses Enter or leaves the field. */
export function TextFilter({ label, value, onChange }: FilterProps) {
  return (
    <Input.Search
      // A changed address (back, a link) brings its own text.
      key={value ?? ''}
      aria-label={label}
      placeholder={label}
      defaultValue={value ?? ''}
      allowClear
      onSearch={(text) => onChange(text.trim())}
      onBlur={(event) => {
        if (event.target.value.trim() !== (value ?? '')) onChange(event.target.value.trim())
      }}
    />
  )
}

interface Choice {
  readonly value: string
  readonly label: string
}

/** One of a few; the first entry stands for no filter. */
export function ChoiceFilter({
  label,
  value,
  onChange,
  any,
  choices,
}: FilterProps & { any: string; choices: readonly Choice[] }) {
  return (
    <Select
      aria-label={label}
      value={value ?? ''}
      onChange={(next: string) => onChange(next)}
      options={[{ value: '', label: any }, ...choices]}
      popupMatchSelectWidth={false}
    />
  )
}
