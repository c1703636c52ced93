// Of the run that main.ts starts in its folder.
export default { test: { include: ['*.test.js'] } }
