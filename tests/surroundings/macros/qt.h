// Keywords of Qt, which are macros unless QT_NO_KEYWORDS is defined.
#define slots
#define signals public
#define emit
#define foreach(variable, container) for (variable : container)
#define forever for (;;)
