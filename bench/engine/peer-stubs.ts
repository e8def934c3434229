/**
 * llama-server wants a web page and a library for images, neither of which the engine's package carries and neither
 * of which a text request touches: an empty page, and only those functions that are called at every start.
 */
export const UI_HEADER = `#pragma once
#include <array>
#include <string>
struct llama_ui_asset { std::string name; };
inline const std::array<llama_ui_asset, 0> & llama_ui_get_assets() {
    static const std::array<llama_ui_asset, 0> none;
    return none;
}
`

export const NO_IMAGES_SOURCE = `#include "mtmd-helper.h"
void mtmd_helper_log_set(ggml_log_callback, void *) {}
mtmd_helper_init_opt mtmd_helper_init_opt_default(void) { return {}; }
mtmd_context_params mtmd_context_params_default(void) { return {}; }
void mtmd_free(mtmd_context *) {}
`
