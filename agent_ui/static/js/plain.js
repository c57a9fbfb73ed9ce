/* Text for comparing: lower case without accents, "Đỗ Thảo" → "do thao". */
export const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").replace(/[đĐ]/g, "d").toLowerCase();
